#include "bus-service/store/sqlite_event_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_format.h"
#include "bus-service/store/journal_schema.h"

namespace pvebus::bus {
namespace {

absl::Status SystemError(std::string_view doing, const std::string& path, int error) {
  const auto code =
      error == ENOSPC || error == EDQUOT ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kPermissionDenied;
  return absl::Status(code, absl::StrFormat("%s %s: %s", doing, path, std::strerror(error)));
}

// Everybody who can read the journal can read every event.
absl::Status MakePrivateDirectory(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(directory).parent_path(), error);
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return SystemError("making the data directory", directory, errno);
  return absl::OkStatus();
}

}  // namespace

// Held for as long as the directory is in use; the kernel lets it go with the process, however that ends.
class SqliteEventLog::DirectoryLock {
 public:
  static absl::StatusOr<std::unique_ptr<DirectoryLock>> Take(const std::string& directory) {
    const std::string path = directory + "/lock";
    const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return SystemError("opening", path, errno);
    std::unique_ptr<DirectoryLock> lock(new DirectoryLock(file));
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
      return absl::FailedPreconditionError(absl::StrFormat(
          "another bus is using the data directory %s: stop it, or give this one its own with --data-dir", directory));
    }
    return lock;
  }
  ~DirectoryLock() { close(file_); }
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  explicit DirectoryLock(int file) : file_(file) {}
  const int file_;
};

absl::StatusOr<SqliteEventLog::Opened> SqliteEventLog::Open(const std::string& directory, size_t max_bytes,
                                                            JournalWriter::Post post, Logger& logger, const std::string& vfs) {
  if (auto status = MakePrivateDirectory(directory); !status.ok()) return status;
  auto lock = DirectoryLock::Take(directory);
  if (!lock.ok()) return lock.status();
  const mode_t mask = umask(0077);
  auto database = SqliteDatabase::Open(directory + "/journal.db", vfs);
  umask(mask);
  if (!database.ok()) return database.status();
  if (auto status = PrepareJournalSchema(**database); !status.ok()) return status;
  if (auto status = (*database)->CheckStructure(); !status.ok()) return status;
  auto tables = JournalTables::Open(**database);
  if (!tables.ok()) return tables.status();
  auto recovery = (*tables)->Load();
  if (!recovery.ok()) return recovery.status();
  Opened opened{nullptr, *std::move(recovery)};
  opened.log.reset(new SqliteEventLog(*std::move(lock), max_bytes, opened.recovery));
  opened.log->writer_ = std::make_unique<JournalWriter>(*std::move(database), *std::move(tables), std::move(post), logger);
  return opened;
}

SqliteEventLog::SqliteEventLog(std::unique_ptr<DirectoryLock> lock, size_t max_bytes, const Recovery& recovery)
    : lock_(std::move(lock)), durable_(max_bytes) {
  durable_.Restore(recovery.events, recovery.last_sequence);
}

SqliteEventLog::~SqliteEventLog() = default;

void SqliteEventLog::Append(std::shared_ptr<Event> event, AppendDone done) {
  pending_bytes_ += event->Bytes();
  writer_->Append(event, [this, event, done = std::move(done)](const absl::Status& status) {
    pending_bytes_ -= event->Bytes();
    if (status.ok()) {
      durable_.Append(event, done);
    } else {
      done(status);
    }
  });
}

void SqliteEventLog::Read(Sequence from, size_t max_events, size_t max_bytes, ReadDone done) {
  durable_.Read(from, max_events, max_bytes, std::move(done));
}

bool SqliteEventLog::HasRoomFor(size_t bytes) const { return durable_.HasRoomFor(pending_bytes_ + bytes); }

void SqliteEventLog::DropFirst() {
  durable_.DropFirst();
  const Stats stats = durable_.GetStats();
  const Sequence first = stats.first_sequence == 0 ? stats.last_sequence + 1 : stats.first_sequence;
  writer_->DropEventsBefore(first, stats.last_sequence);
}

EventLog::Stats SqliteEventLog::GetStats() const {
  Stats stats = durable_.GetStats();
  stats.durable = true;
  return stats;
}

void SqliteEventLog::SaveListener(ListenerId listener, const ListenerSnapshot& snapshot) {
  writer_->Enqueue([listener, snapshot](JournalTables& tables) { return tables.PutListener(listener, snapshot); });
}

void SqliteEventLog::SaveInterest(ListenerId listener, const Interest& interest) {
  writer_->Enqueue([listener, interest](JournalTables& tables) { return tables.PutInterest(listener, interest); });
}

void SqliteEventLog::SaveProgress(ListenerId listener, Progress progress) {
  writer_->SaveProgress(listener, std::move(progress));
}

void SqliteEventLog::SaveDelivery(ListenerId listener, DeliveryRecord delivery) {
  writer_->Enqueue(
      [listener, delivery = std::move(delivery)](JournalTables& tables) { return tables.PutDelivery(listener, delivery); });
}

void SqliteEventLog::DropListener(ListenerId listener) {
  writer_->ForgetProgress(listener);
  writer_->Enqueue([listener](JournalTables& tables) { return tables.DropListener(listener); });
}

void SqliteEventLog::WhenDurable(std::function<void(absl::Status)> done) { writer_->WhenDurable(std::move(done)); }

}  // namespace pvebus::bus
