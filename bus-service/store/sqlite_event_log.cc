#include "bus-service/store/sqlite_event_log.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "bus-service/core/errors.h"
#include "bus-service/store/damage.h"
#include "bus-service/store/event_scan.h"
#include "bus-service/store/journal_salvage.h"

namespace pvebus::bus {
namespace {

std::vector<Loss> NewestOf(std::vector<Loss> losses) {
  if (losses.size() > EventLog::kMaxLosses) losses.erase(losses.begin(), losses.end() - EventLog::kMaxLosses);
  return losses;
}

}  // namespace

absl::StatusOr<SqliteEventLog::Opened> SqliteEventLog::Open(const std::string& directory, size_t max_bytes,
                                                            JournalWriter::Post post, Logger& logger, bool accept_data_loss,
                                                            const std::string& vfs) {
  auto lock = DirectoryLock::Take(directory);
  if (!lock.ok()) return lock.status();
  auto files = OpenJournalFiles(directory, vfs);
  if (!files.ok()) return files.status();
  if (accept_data_loss && NeedsSalvage(*files)) {
    if (auto status = Salvage(*std::move(files), directory, vfs, logger); !status.ok()) return status;
    files = OpenJournalFiles(directory, vfs);
    if (!files.ok()) return files.status();
  }
  for (const JournalProblem& problem : files->loaded.problems) {
    logger.Error("journal_damaged part=%s sequence=%d problem=\"%s\"", problem.part, problem.sequence, problem.message);
  }
  Opened opened;
  opened.recovery = std::move(files->loaded.recovery);
  LoadedJournal loaded = std::move(files->loaded);
  const Sequence last_sequence = opened.recovery.last_sequence;
  files->loaded.state = loaded.state;
  files->loaded.segment_writer = loaded.segment_writer;
  files->loaded.dropped_listeners = loaded.dropped_listeners;
  files->loaded.forgotten_blocks = loaded.forgotten_blocks;
  files->loaded.unfinished_block = loaded.unfinished_block;
  files->loaded.sealed_ids_left = loaded.sealed_ids_left;
  files->loaded.sealed_until = loaded.sealed_until;
  opened.log.reset(new SqliteEventLog(*std::move(lock), max_bytes, std::move(post), logger, std::move(loaded)));
  opened.log->last_sequence_ = last_sequence;
  for (const EventPtr& event : opened.recovery.newest) opened.log->tail_.Add(event);
  if (auto status = opened.log->Start(*std::move(files), directory, vfs); !status.ok()) return status;
  return opened;
}

SqliteEventLog::SqliteEventLog(std::unique_ptr<DirectoryLock> lock, size_t max_bytes, JournalWriter::Post post, Logger& logger,
                               LoadedJournal loaded)
    : lock_(std::move(lock)),
      max_bytes_(max_bytes),
      post_(std::move(post)),
      logger_(logger),
      lost_(std::move(loaded.lost)),
      hash_(loaded.state.hash_seed),
      segments_(std::move(loaded.segments)),
      ids_(loaded.ids ? std::move(loaded.ids) : std::make_unique<IdIndex>()),
      dead_letters_(std::move(loaded.dead_letters)),
      read_only_(!loaded.problems.empty()),
      problems_(std::move(loaded.problems)),
      losses_(NewestOf(std::move(loaded.losses))) {
  for (const auto& [id, letter] : dead_letters_) letter_bytes_ += letter.bytes;
}

absl::Status SqliteEventLog::Start(JournalFiles files, const std::string& directory, const std::string& vfs) {
  if (!files.tables) return absl::OkStatus();
  auto reading = OpenForReading(directory, vfs);
  if (!reading.ok()) return reading.status();
  if (read_only_) LeaveAsItIs(*(*reading)->database);
  reader_ = std::make_unique<JournalReader>(*std::move(reading));
  if (read_only_) return absl::OkStatus();
  auto checkpointing = OpenJournalDatabase(directory + "/journal.db", vfs);
  if (!checkpointing.ok()) return checkpointing.status();
  checkpointer_ = std::make_unique<JournalCheckpointer>(*std::move(checkpointing), logger_);
  checkpointer_->Watch(*files.tables->database);
  JournalWriter::Owner& owner = *this;
  writer_ = std::make_unique<JournalWriter>(
      JournalWriter::Start{std::move(files.tables), std::move(files.mark_file), files.loaded.state, *files.loaded.segment_writer},
      owner, *checkpointer_, post_, logger_);
  // What a crash may have left of blocks that were being made, or dropped.
  if (files.loaded.unfinished_block) {
    writer_->Enqueue(
        [next = ids_->next_block()](JournalTables& tables, JournalState&) { return tables.ids.DropBucketsFrom(next); });
  }
  for (const ListenerId listener : files.loaded.dropped_listeners) DropWaitingRows(listener, false);
  DropBlocks(files.loaded.forgotten_blocks);
  if (files.loaded.sealed_ids_left) DropSegmentIds(1, files.loaded.sealed_until);
  return absl::OkStatus();
}

SqliteEventLog::~SqliteEventLog() { Close(); }

void SqliteEventLog::Close() {
  *alive_ = false;
  reader_ = nullptr;
  writer_ = nullptr;
  checkpointer_ = nullptr;
}

absl::Status SqliteEventLog::Note(const absl::Status& status) {
  if (!IsDamage(status)) return status;
  const JournalProblem problem = ProblemOf(status);
  const bool known = std::any_of(problems_.begin(), problems_.end(), [&](const JournalProblem& other) {
    return other.part == problem.part && other.sequence == problem.sequence && other.message == problem.message;
  });
  if (!known && problems_.size() < kMaxProblems) {
    problems_.push_back(problem);
    logger_.Error("journal_damaged part=%s sequence=%d problem=\"%s\"", problem.part, problem.sequence, problem.message);
  }
  read_only_ = true;
  return JournalDamaged(problem.message);
}

absl::Status SqliteEventLog::Unreadable() const {
  return JournalDamaged(problems_.empty() ? "it was closed" : problems_.front().message);
}

absl::Status SqliteEventLog::WhyOlder(const absl::Status& status) {
  return absl::IsResourceExhausted(status) ? DiskFull(std::string(status.message())) : status;
}

void SqliteEventLog::Append(std::shared_ptr<Event> event, AppendDone done) {
  if (read_only_ || !writer_) return done(Unreadable());
  pending_bytes_ += event->Bytes();
  writer_->Append(std::move(event), std::move(done));
}

void SqliteEventLog::OnStored(const std::vector<JournalWriter::Appending>& events, const std::vector<IdEntry>& ids,
                              const std::vector<Sequence>& segment_ends) {
  auto id = ids.begin();
  auto end = segment_ends.begin();
  for (const JournalWriter::Appending& append : events) {
    const Event& event = *append.event;
    pending_bytes_ -= event.Bytes();
    last_sequence_ = event.sequence;
    segments_.AddEvent(event.sequence, event.Bytes(), ToNanos(event.publish_time));
    for (; id != ids.end() && id->sequence == event.sequence; ++id) ids_->Add(*id);
    tail_.Add(append.event);
    if (end == segment_ends.end() || *end != event.sequence + 1) continue;
    segments_.Close(*end++);
    if (const auto generation = ids_->FreezeIfFull()) Seal(generation);
  }
}

void SqliteEventLog::Read(Sequence from, size_t max_events, size_t max_bytes, ReadDone done) {
  if (segments_.empty() && read_only_ && last_sequence_ > 0) return done(Unreadable());
  from = lost_.Skip(std::max(from, segments_.first_sequence()));
  const Sequence until = segments_.last_sequence();
  if (segments_.empty() || from > until) return done(std::vector<EventPtr>());
  if (tail_.Covers(from)) return done(tail_.Read(from, max_events, max_bytes));
  Ask<std::vector<EventPtr>>(
      [lost = lost_, from, until, max_events, max_bytes](JournalTables& tables) -> absl::StatusOr<std::vector<EventPtr>> {
        std::vector<EventPtr> events;
        if (auto status = ReadEvents(tables, lost, from, until, {max_events, max_bytes}, events);
            !status.ok() && events.empty()) {
          return status;
        }
        return events;
      },
      std::move(done));
}

bool SqliteEventLog::HasRoomFor(size_t bytes) const {
  return segments_.bytes() + pending_bytes_ + letter_bytes_ + bytes <= max_bytes_;
}

std::optional<EventLog::Chunk> SqliteEventLog::OldestChunk() const { return read_only_ ? std::nullopt : segments_.Oldest(); }

void SqliteEventLog::DropOldestChunk() {
  const Sequence end = segments_.DropOldest();
  tail_.DropBefore(end);
  DropBlocks(ids_->DropBefore(end));
  writer_->DropEventsBefore(end);
}

EventLog::Stats SqliteEventLog::GetStats() const {
  Stats stats;
  stats.durable = true;
  stats.read_only = read_only_;
  stats.event_count = segments_.count();
  stats.event_bytes = segments_.bytes();
  stats.max_event_bytes = max_bytes_;
  stats.first_sequence = segments_.first_sequence();
  stats.last_sequence = last_sequence_;
  stats.problems.assign(problems_.begin(),
                        problems_.begin() + static_cast<std::ptrdiff_t>(std::min(problems_.size(), kMaxProblems)));
  stats.losses = losses_;
  return stats;
}

}  // namespace pvebus::bus
