#include "bus-service/store/sqlite_event_log.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "bus-service/core/errors.h"
#include "bus-service/store/damage.h"
#include "bus-service/store/event_scan.h"
#include "bus-service/store/journal_salvage.h"
#include "bus-service/store/journal_verification.h"

namespace pvebus::bus {
namespace {

constexpr size_t kStepRows = 64;
constexpr size_t kCountChunk = 256;
constexpr std::chrono::milliseconds kProgressInterval{200};

JournalProblem ProblemOfLoss(const Loss& loss) {
  return {loss.part, loss.first, absl::StrFormat("given up as lost: %s", loss.message)};
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
      problems_(std::move(loaded.problems)) {
  for (const Loss& loss : loaded.losses) problems_.push_back(ProblemOfLoss(loss));
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

template <typename Result>
void SqliteEventLog::Ask(std::function<absl::StatusOr<Result>(JournalTables&)> work,
                         std::function<void(absl::StatusOr<Result>)> done) {
  if (!reader_) return done(Unreadable());
  reader_->Enqueue(
      [this, alive = alive_, post = post_, work = std::move(work), done = std::move(done)](JournalTables& tables, SteadyTime) {
        auto result = std::make_shared<absl::StatusOr<Result>>(work(tables));
        post([this, alive, result, done] {
          if (!*alive) return;
          if (result->ok()) return done(std::move(*result));
          done(Note(result->status()));
        });
        return true;
      });
}

template <typename Result>
void SqliteEventLog::AskSaved(std::function<absl::StatusOr<Result>(JournalTables&)> work,
                              std::function<void(absl::StatusOr<Result>)> done) {
  if (!writer_ || !writer_->HasUnsaved()) return Ask<Result>(std::move(work), std::move(done));
  writer_->WhenDurable([this, work = std::move(work), done = std::move(done)](const absl::Status& status) {
    if (!status.ok()) return done(status);
    Ask<Result>(work, done);
  });
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

bool SqliteEventLog::IsThere(Sequence sequence) const {
  return !segments_.empty() && sequence >= segments_.first_sequence() && sequence <= segments_.last_sequence() &&
         lost_.Skip(sequence) == sequence;
}

SqliteEventLog::Lookup SqliteEventLog::LookUp(const Key& key) const {
  Lookup found;
  if (key.id->empty()) return found;
  IdIndex::Candidates candidates = ids_->Find(key.hash, std::max<Sequence>(segments_.first_sequence(), 1));
  for (const Sequence sequence : candidates.sequences) {
    if (!tail_.Covers(sequence)) {
      found.sequences.push_back(sequence);
    } else if (EventPtr event = tail_.Get(sequence); event && key.Matches(*event)) {
      found.event = std::move(event);
      return found;
    }
  }
  found.blocks = std::move(candidates.blocks);
  const auto millis = key.is_event_id ? MillisOfUuid7(*key.id) : std::nullopt;
  if (!millis) return found;
  // It may be one that the bus made: then it says when.
  constexpr int64_t kNanos = 1'000'000;
  for (const SegmentIndex::Range& run : segments_.RunsBetween(*millis * kNanos, (*millis + 1) * kNanos - 1)) {
    if (tail_.Covers(run.last)) {
      found.event = tail_.FindIn(run.first, run.last, [&](const Event& event) { return key.Matches(event); });
      if (found.event) return found;
    }
    if (!tail_.Covers(run.first)) found.runs.push_back(run);
  }
  return found;
}

absl::StatusOr<EventPtr> SqliteEventLog::FindOnDisk(JournalTables& tables, const LostRanges& lost, const Key& key,
                                                    const Lookup& lookup) {
  const ReadTransaction transaction(tables);
  if (!transaction.status().ok()) return transaction.status();
  std::vector<Sequence> sequences = lookup.sequences;
  for (const uint64_t block : lookup.blocks) {
    auto found = tables.ids.Find(block, key.hash);
    if (!found.ok()) return found.status();
    sequences.insert(sequences.end(), found->begin(), found->end());
  }
  for (const Sequence sequence : sequences) {
    auto event = tables.events.Get(sequence);
    if (!event.ok()) return event.status();
    if (*event && key.Matches(**event)) return event;
  }
  EventPtr found;
  absl::Status damage;
  for (const SegmentIndex::Range& run : lookup.runs) {
    ScanEvents(
        tables, lost, std::max(run.first, transaction.first_sequence()), run.last,
        [&](const std::shared_ptr<Event>& event, int64_t) {
          if (key.Matches(*event)) found = event;
        },
        [&](const absl::Status& status) { damage.Update(status); });
  }
  if (!found && !damage.ok()) return damage;
  return found;
}

void SqliteEventLog::Find(const Key& key, FindDone done) {
  if (!reader_) return done(Unreadable());
  Lookup lookup = LookUp(key);
  if (lookup.event || !lookup.elsewhere()) return done(std::move(lookup.event));
  Ask<EventPtr>(
      [lookup = std::move(lookup), id = *key.id, hash = key.hash, is_event_id = key.is_event_id,
       lost = lost_](JournalTables& tables) {
        return FindOnDisk(tables, lost, {&id, hash, is_event_id}, lookup);
      },
      std::move(done));
}

void SqliteEventLog::FindByEventId(const std::string& event_id, FindDone done) {
  Find({&event_id, hash_.OfEventId(event_id), true}, std::move(done));
}

void SqliteEventLog::FindByRequestId(const std::string& request_id, FindDone done) {
  Find({&request_id, hash_.OfRequestId(request_id), false}, std::move(done));
}

bool SqliteEventLog::MayHaveEventId(const std::string& event_id) const {
  const Lookup lookup = LookUp({&event_id, hash_.OfEventId(event_id), true});
  return lookup.event || lookup.elsewhere();
}

bool SqliteEventLog::MayHaveRequestId(const std::string& request_id) const {
  const Lookup lookup = LookUp({&request_id, hash_.OfRequestId(request_id), false});
  return lookup.event || lookup.elsewhere();
}

void SqliteEventLog::FindByTime(SystemTime time, SequenceDone done) {
  const auto run = segments_.RunFrom(ToNanos(time));
  if (!run) return done(last_sequence_ + 1);
  const auto late_enough = [time](const Event& event) { return event.publish_time >= time; };
  if (tail_.Covers(run->first)) {
    const EventPtr event = tail_.FindIn(run->first, run->last, late_enough);
    return done(event ? event->sequence : run->last + 1);
  }
  Ask<Sequence>(
      [run = *run, lost = lost_, late_enough](JournalTables& tables) -> absl::StatusOr<Sequence> {
        const ReadTransaction transaction(tables);
        if (!transaction.status().ok()) return transaction.status();
        Sequence found = 0;
        absl::Status damage;
        ScanEvents(
            tables, lost, std::max(run.first, transaction.first_sequence()), run.last,
            [&](const std::shared_ptr<Event>& event, int64_t) {
              if (found == 0 && late_enough(*event)) found = event->sequence;
            },
            [&](const absl::Status& status) {
              if (found == 0) damage.Update(status);
            });
        if (!damage.ok()) return damage;
        return found == 0 ? run.last + 1 : found;
      },
      std::move(done));
}

void SqliteEventLog::ReadChildren(Sequence parent, size_t max_events, ReadDone done) {
  Ask<std::vector<EventPtr>>(
      [parent, max_events](JournalTables& tables) -> absl::StatusOr<std::vector<EventPtr>> {
        auto sequences = tables.events.Children(parent, max_events);
        if (!sequences.ok()) return sequences.status();
        std::vector<EventPtr> children;
        for (const Sequence sequence : *sequences) {
          auto event = tables.events.Get(sequence);
          if (!event.ok()) return event.status();
          if (*event) children.push_back(*std::move(event));
        }
        return children;
      },
      std::move(done));
}

void SqliteEventLog::Count(Sequence from, Sequence to, std::function<bool(const Event&)> wanted, CountDone done) {
  if (!reader_) return done(Unreadable());
  from = std::max(from, segments_.first_sequence());
  to = std::min(to, segments_.last_sequence());
  auto count = std::make_shared<uint64_t>(0);
  auto next = std::make_shared<Sequence>(from);
  reader_->Enqueue([=, this, alive = alive_, post = post_, lost = lost_](JournalTables& tables, SteadyTime deadline) {
    std::vector<EventPtr> events;
    while (*next <= to) {
      events.clear();
      if (auto status = ReadEvents(tables, lost, *next, to, {kCountChunk, SIZE_MAX}, events); !status.ok()) {
        post([this, alive, done, status = std::move(status)] {
          if (*alive) done(Note(status));
        });
        return true;
      }
      if (events.empty()) break;
      for (const EventPtr& event : events) *count += wanted(*event);
      *next = events.back()->sequence + 1;
      if (std::chrono::steady_clock::now() >= deadline && *next <= to) return false;
    }
    post([alive, done, count] {
      if (*alive) done(*count);
    });
    return true;
  });
}

void SqliteEventLog::Verify(VerifyProgress progress) {
  if (!reader_) return progress(0, problems_, true);
  auto verification = std::make_shared<JournalVerification>(segments_.last_sequence(), lost_);
  auto told = std::make_shared<SteadyTime>(std::chrono::steady_clock::now());
  reader_->Enqueue([=, this, alive = alive_, post = post_](JournalTables& tables, SteadyTime deadline) {
    bool done = false;
    while (!done && std::chrono::steady_clock::now() < deadline) done = verification->Step(tables);
    if (!done && std::chrono::steady_clock::now() < *told + kProgressInterval) return false;
    *told = std::chrono::steady_clock::now();
    post([this, alive, progress, done, checked = verification->checked_events(), found = verification->TakeProblems()] {
      if (!*alive) return;
      for (const JournalProblem& problem : found) Note(Damaged(problem.part, problem.sequence, problem.message)).IgnoreError();
      progress(checked, found, done);
    });
    return done;
  });
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
  return stats;
}

void SqliteEventLog::SaveStepwise(std::shared_ptr<std::deque<JournalWriter::Save>> steps, std::function<void()> done) {
  if (!writer_) return;
  if (!steps->empty()) {
    writer_->Enqueue(std::move(steps->front()));
    steps->pop_front();
  }
  writer_->WhenDurable([this, steps = std::move(steps), done = std::move(done)](const absl::Status& status) mutable {
    if (read_only_) return;
    // What failed is tried again: the last step must not be taken for done.
    if (!steps->empty() || !status.ok()) return SaveStepwise(std::move(steps), std::move(done));
    done();
  });
}

void SqliteEventLog::Seal(const std::shared_ptr<const IdIndex::Generation>& generation) {
  reader_->Enqueue([this, alive = alive_, post = post_, generation](JournalTables&, SteadyTime) {
    auto block = std::make_shared<IdBlock>(generation->Entries());
    post([this, alive, generation, block] {
      if (!*alive || read_only_) return;
      const IdRows::Block row{generation->block, generation->first, generation->last,
                              std::make_shared<BlockedBloom>(block->bloom)};
      auto steps = std::make_shared<std::deque<JournalWriter::Save>>();
      for (size_t first = 0; first < IdBlock::kBuckets; first += kStepRows) {
        steps->push_back([block, number = row.number, first](JournalTables& tables, JournalState&) {
          for (size_t bucket = first; bucket < first + kStepRows; ++bucket) {
            if (auto status = tables.ids.PutBucket(number, bucket, block->buckets[bucket]); !status.ok()) return status;
          }
          return absl::OkStatus();
        });
      }
      steps->push_back([row](JournalTables& tables, JournalState&) { return tables.ids.PutBlock(row); });
      SaveStepwise(std::move(steps), [this, row] {
        ids_->Sealed(row);
        DropSegmentIds(row.first, row.last + 1);
      });
    });
    return true;
  });
}

void SqliteEventLog::DropSegmentIds(Sequence first, Sequence end) {
  auto steps = std::make_shared<std::deque<JournalWriter::Save>>();
  constexpr Sequence kEvents = kStepRows * kSegmentEvents;
  for (first = std::max(first, segments_.first_sequence()); first < end; first += kEvents) {
    steps->push_back([first, step_end = std::min(first + kEvents, end)](JournalTables& tables, JournalState&) {
      return tables.segments.DropIds(first, step_end);
    });
  }
  SaveStepwise(std::move(steps), [] {});
}

void SqliteEventLog::DropBlocks(const std::vector<uint64_t>& blocks) {
  if (blocks.empty()) return;
  auto steps = std::make_shared<std::deque<JournalWriter::Save>>();
  for (const uint64_t block : blocks) {
    steps->push_back([block](JournalTables& tables, JournalState&) { return tables.ids.DropBlock(block); });
    for (size_t first = 0; first < IdBlock::kBuckets; first += kStepRows * 4) {
      steps->push_back([block, first](JournalTables& tables, JournalState&) {
        return tables.ids.DropBuckets(block, first, first + kStepRows * 4);
      });
    }
  }
  SaveStepwise(std::move(steps), [] {});
}

void SqliteEventLog::SaveListener(ListenerId listener, const ListenerSnapshot& snapshot) {
  if (read_only_ || !writer_) return;
  writer_->Enqueue([listener, snapshot](JournalTables& tables, JournalState& state) {
    state.last_listener_id = std::max(state.last_listener_id, listener);
    return tables.listeners.PutListener(listener, snapshot);
  });
}

void SqliteEventLog::SaveInterest(ListenerId listener, const Interest& interest) {
  if (read_only_ || !writer_) return;
  writer_->Enqueue(
      [listener, interest](JournalTables& tables, JournalState&) { return tables.listeners.PutInterest(listener, interest); });
}

void SqliteEventLog::SaveProgress(ListenerId listener, Progress progress) {
  if (read_only_ || !writer_) return;
  writer_->SaveProgress(listener, std::move(progress));
}

void SqliteEventLog::SaveDelivery(ListenerId listener, DeliveryRecord delivery) {
  if (read_only_ || !writer_) return;
  writer_->Enqueue([listener, delivery = std::move(delivery)](JournalTables& tables, JournalState& state) {
    // One of an event that is forgotten already would never be.
    return delivery.sequence < state.first_sequence ? absl::OkStatus() : tables.deliveries.Put(listener, delivery);
  });
}

void SqliteEventLog::ForgetLetter(uint64_t id) {
  const auto found = dead_letters_.find(id);
  if (found == dead_letters_.end()) return;
  letter_bytes_ -= found->second.bytes;
  dead_letters_.erase(found);
}

void SqliteEventLog::SaveDeadLetter(DeadLetter letter) {
  if (read_only_ || !writer_) return;
  ForgetLetter(letter.id);
  const LoadedJournal::LetterKey key{letter.listener, BytesOf(letter)};
  dead_letters_[letter.id] = key;
  letter_bytes_ += key.bytes;
  writer_->Enqueue([letter = std::move(letter)](JournalTables& tables, JournalState& state) {
    const auto added = tables.dead_letters.Put(letter);
    if (added.ok() && *added) ++state.dead_letters;
    state.last_dead_letter_id = std::max(state.last_dead_letter_id, letter.id);
    return added.status();
  });
}

void SqliteEventLog::RemoveDeadLetter(uint64_t id) {
  if (read_only_ || !writer_) return;
  ForgetLetter(id);
  writer_->Enqueue([id](JournalTables& tables, JournalState& state) {
    const auto removed = tables.dead_letters.Remove(id);
    if (removed.ok() && *removed) --state.dead_letters;
    return removed.status();
  });
}

void SqliteEventLog::SaveReplays(std::vector<Replay> replays) {
  if (read_only_ || !writer_) return;
  writer_->Enqueue([replays = std::move(replays)](JournalTables& tables, JournalState& state) {
    for (const Replay& replay : replays) {
      state.last_replay_number = std::max(state.last_replay_number, replay.number);
      if (auto status = tables.deliveries.PutReplay(replay); !status.ok()) return status;
    }
    return absl::OkStatus();
  });
}

void SqliteEventLog::RemoveReplay(ListenerId listener, uint64_t number) {
  if (read_only_ || !writer_) return;
  writer_->Enqueue(
      [listener, number](JournalTables& tables, JournalState&) { return tables.deliveries.RemoveReplay(listener, number); });
}

void SqliteEventLog::DropListener(ListenerId listener) {
  if (read_only_ || !writer_) return;
  for (auto letter = dead_letters_.begin(); letter != dead_letters_.end();) {
    if (letter->second.listener == listener) letter_bytes_ -= letter->second.bytes;
    letter = letter->second.listener == listener ? dead_letters_.erase(letter) : std::next(letter);
  }
  writer_->ForgetProgress(listener);
  writer_->Enqueue([listener](JournalTables& tables, JournalState& state) {
    state.last_listener_id = std::max(state.last_listener_id, listener);
    const auto letters = tables.dead_letters.DropListener(listener);
    if (!letters.ok()) return letters.status();
    state.dead_letters -= *letters;
    if (auto status = tables.deliveries.DropListener(listener); !status.ok()) return status;
    return tables.listeners.Drop(listener);
  });
}

void SqliteEventLog::WhenDurable(std::function<void(absl::Status)> done) {
  if (read_only_ || !writer_) return done(Unreadable());
  writer_->WhenDurable(std::move(done));
}

void SqliteEventLog::ReadDeliveries(Sequence sequence, DeliveriesDone done) {
  AskSaved<Deliveries>([sequence](JournalTables& tables) { return tables.deliveries.OfEvent(sequence); }, std::move(done));
}

void SqliteEventLog::ReadDeadLetters(uint64_t after_id, size_t max_letters, size_t max_bytes, DeadLettersDone done) {
  std::vector<uint64_t> ids;
  size_t bytes = 0;
  for (auto letter = dead_letters_.upper_bound(after_id); letter != dead_letters_.end() && ids.size() < max_letters; ++letter) {
    bytes += letter->second.bytes;
    if (!ids.empty() && bytes > max_bytes) break;
    ids.push_back(letter->first);
  }
  if (ids.empty()) return done(reader_ ? absl::StatusOr<std::vector<DeadLetter>>(std::vector<DeadLetter>()) : Unreadable());
  AskSaved<std::vector<DeadLetter>>(
      [ids](JournalTables& tables) -> absl::StatusOr<std::vector<DeadLetter>> {
        std::vector<DeadLetter> letters;
        for (const uint64_t id : ids) {
          auto letter = tables.dead_letters.Get(id);
          if (!letter.ok()) return letter.status();
          if (letter->event) letters.push_back(*std::move(letter));
        }
        return letters;
      },
      [this, ids, done = std::move(done)](absl::StatusOr<std::vector<DeadLetter>> letters) {
        size_t next = 0;
        for (const uint64_t id : ids) {
          if (!letters.ok() || letters->size() == ids.size()) break;
          if (next < letters->size() && (*letters)[next].id == id) {
            ++next;
          } else if (dead_letters_.contains(id)) {  // nobody has removed it meanwhile
            letters = Note(Damaged("dead_letters", 0, absl::StrFormat("dead letter %d is missing", id)));
          }
        }
        done(std::move(letters));
      });
}

void SqliteEventLog::ReadReplays(ListenerId listener, uint64_t after_number, size_t max_replays, size_t max_bytes,
                                 ReplaysDone done) {
  AskSaved<Replays>(
      [=](JournalTables& tables) -> absl::StatusOr<Replays> {
        auto replays = tables.deliveries.ReplaysAfter(listener, after_number, max_replays);
        if (!replays.ok()) return replays.status();
        Replays found;
        size_t bytes = 0;
        for (Replay& replay : *replays) {
          EventPtr event;
          if (replay.dead_letter_id != 0) {
            auto letter = tables.dead_letters.Get(replay.dead_letter_id);
            if (!letter.ok()) return letter.status();
            event = letter->event;
          } else {
            auto read = tables.events.Get(replay.sequence);
            if (!read.ok()) return read.status();
            event = *std::move(read);
          }
          bytes += event ? event->Bytes() : 0;
          if (!found.empty() && bytes > max_bytes) break;
          found.emplace_back(std::move(replay), std::move(event));
        }
        return found;
      },
      [this, done = std::move(done)](absl::StatusOr<Replays> replays) {
        for (size_t i = 0; replays.ok() && i < replays->size(); ++i) {
          const auto& [replay, event] = (*replays)[i];
          if (event) continue;
          if (replay.dead_letter_id != 0 && dead_letters_.contains(replay.dead_letter_id)) {
            replays = Note(Damaged("dead_letters", 0, absl::StrFormat("dead letter %d is missing", replay.dead_letter_id)));
          } else if (replay.dead_letter_id == 0 && IsThere(replay.sequence)) {
            replays = Note(Damaged("events", replay.sequence, absl::StrFormat("event %d is missing", replay.sequence)));
          }
        }
        done(std::move(replays));
      });
}

}  // namespace pvebus::bus
