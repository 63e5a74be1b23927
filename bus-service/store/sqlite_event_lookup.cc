// How events of the durable journal are found: by id, by time, by parent, one after the other; and how the ids get into their
// blocks.
#include <algorithm>

#include "bus-service/store/damage.h"
#include "bus-service/store/event_scan.h"
#include "bus-service/store/journal_verification.h"
#include "bus-service/store/sqlite_event_log.h"

namespace pvebus::bus {
namespace {

constexpr size_t kStepRows = 64;
constexpr size_t kCountChunk = 256;
constexpr size_t kCountBytes = 1 << 20;  // of one transaction: a long one would hold up the checkpoints
constexpr std::chrono::milliseconds kProgressInterval{200};

}  // namespace

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
      if (auto status = ReadEvents(tables, lost, *next, to, {kCountChunk, kCountBytes}, events); !status.ok()) {
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

void SqliteEventLog::Verify(std::stop_token stop, VerifyProgress progress) {
  if (!reader_) return progress(0, problems_, true);
  // Also what a start could not load.
  auto verification = std::make_shared<JournalVerification>(last_sequence_, lost_);
  auto told = std::make_shared<SteadyTime>(std::chrono::steady_clock::now());
  reader_->Enqueue([=, this, alive = alive_, post = post_](JournalTables& tables, SteadyTime deadline) {
    bool done = false;
    while (!done && std::chrono::steady_clock::now() < deadline) {
      if (stop.stop_requested()) return true;
      done = verification->Step(tables);
    }
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

}  // namespace pvebus::bus
