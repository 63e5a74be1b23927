#include "bus-service/store/journal_files.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <random>
#include <system_error>

#include "absl/strings/str_format.h"
#include "bus-service/store/damage.h"
#include "bus-service/store/journal_checkpointer.h"
#include "bus-service/store/journal_schema.h"
#include "bus-service/store/system_error.h"

namespace pvebus::bus {
namespace {

// Everybody who can read the journal can read every event.
absl::Status MakePrivateDirectory(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(directory).parent_path(), error);
  if (mkdir(directory.c_str(), 0700) == 0) {
    // Else a power loss could take the directory, and with it everything that was synced inside.
    const std::string parent = std::filesystem::path(directory).parent_path();
    const int file = open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = file >= 0 && fsync(file) == 0;
    const int failure = errno;
    if (file >= 0) close(file);
    return synced ? absl::OkStatus() : SystemError("making the data directory durable in", parent, failure);
  }
  return errno == EEXIST ? absl::OkStatus() : SystemError("making the data directory", directory, errno);
}

bool HasContent(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && info.st_size > 0;
}

// A journal that has not begun yet.
absl::Status Begin(JournalTables& tables) {
  std::random_device random;
  JournalState state;
  state.hash_seed = static_cast<uint64_t>(random()) << 32 | random();
  if (auto status = tables.BeginWriting(); !status.ok()) return status;
  if (auto status = tables.journal.Put(state); !status.ok()) return status;
  return tables.Commit();
}

absl::StatusOr<std::unique_ptr<JournalTables>> OpenTables(const std::string& path, const std::string& vfs, bool begun) {
  auto database = OpenJournalDatabase(path, vfs);
  if (!database.ok()) return database.status();
  if (auto status = PrepareJournalSchema(**database); !status.ok()) {
    LeaveAsItIs(**database);
    return status;
  }
  auto tables = JournalTables::Open(*std::move(database));
  if (!tables.ok()) return tables.status();
  if (!begun && absl::IsNotFound((*tables)->journal.Get().status())) {
    if (auto status = Begin(**tables); !status.ok()) return status;
  }
  return tables;
}

}  // namespace

absl::StatusOr<std::unique_ptr<DirectoryLock>> DirectoryLock::Take(const std::string& directory) {
  if (auto status = MakePrivateDirectory(directory); !status.ok()) return status;
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

DirectoryLock::~DirectoryLock() { close(file_); }

absl::StatusOr<std::unique_ptr<SqliteDatabase>> OpenJournalDatabase(const std::string& path, const std::string& vfs) {
  const mode_t mask = umask(0077);
  auto database = SqliteDatabase::Open(path, vfs);
  umask(mask);
  if (!database.ok()) return database;
  if (auto status = (*database)->Execute("PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-4000"); !status.ok()) return status;
  const std::string limit = absl::StrFormat("PRAGMA journal_size_limit=%d", JournalCheckpointer::kWalBytes);
  if (auto status = (*database)->Execute(limit.c_str()); !status.ok()) return status;
  return database;
}

void LeaveAsItIs(SqliteDatabase& database) { sqlite3_db_config(database.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr); }

absl::StatusOr<std::unique_ptr<JournalTables>> OpenForReading(const std::string& directory, const std::string& vfs) {
  auto database = OpenJournalDatabase(directory + "/journal.db", vfs);
  if (!database.ok()) return database.status();
  if (auto status = (*database)->Execute("PRAGMA query_only=1"); !status.ok()) return status;
  return JournalTables::Open(*std::move(database));
}

absl::StatusOr<JournalFiles> OpenJournalFiles(const std::string& directory, const std::string& vfs) {
  const std::string path = directory + "/journal.db";
  auto mark = JournalMark::Open(directory);
  if (!mark.ok()) return mark.status();
  JournalFiles files;
  files.mark_file = std::move(mark->file);
  files.mark = mark->mark;
  const bool there = HasContent(path);
  const bool begun = !mark->status.ok() || (files.mark && (files.mark->last_sequence > 0 || files.mark->commits > 0));
  std::vector<JournalProblem> problems;
  if (!mark->status.ok()) problems.push_back(ProblemOf(mark->status));
  if (!there && !files.mark && mark->status.ok()) {
    if (auto status = files.mark_file->WriteAndSync({}); !status.ok()) return status;
    files.mark = Mark{};
  }
  if (!there && begun) {
    problems.push_back({"journal.db", 0, "journal.db is missing, but journal.mark is there"});
  } else {
    auto tables = OpenTables(path, vfs, begun);
    if (!tables.ok() && !IsDamage(tables.status())) return tables.status();
    if (tables.ok()) {
      files.tables = *std::move(tables);
      files.loaded = LoadJournal(*files.tables, files.mark);
      const JournalState& state = files.loaded.state;
      if (!files.mark && mark->status.ok() && (state.last_sequence > 0 || state.commits > 0)) {
        problems.push_back({"journal.mark", 0, "journal.mark is missing: nothing tells whether the last commits are there"});
      }
    } else {
      problems.push_back(ProblemOf(tables.status()));
    }
  }
  files.loaded.problems.insert(files.loaded.problems.begin(), problems.begin(), problems.end());
  if (!files.tables && files.mark) files.loaded.recovery.last_sequence = files.mark->last_sequence;
  if (files.tables && !files.loaded.problems.empty()) LeaveAsItIs(*files.tables->database);
  return files;
}

}  // namespace pvebus::bus
