#include "bus-service/store/journal_verification.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_format.h"
#include "bus-service/store/damage.h"

namespace pvebus::bus {
namespace {

constexpr size_t kRowsAtOnce = 200;
// SQLite checks a whole file in one go, which would hold up other readers: larger ones are checked table by table, and the
// events, of which every row has been read and counted then, are left out.
constexpr int64_t kWholeFileBytes = 64 << 20;
constexpr std::array kTables{"journal",  "segments",   "segment_ids",  "id_blocks", "listeners", "interests",
                             "progress", "deliveries", "dead_letters", "replays",   "losses",    "id_entries"};

}  // namespace

absl::Status CheckPagesOf(JournalTables& tables, const std::string& table) {
  const std::string sql = table.empty() ? "PRAGMA quick_check(1)" : absl::StrFormat("PRAGMA quick_check('%s')", table);
  auto statement = SqliteStatement::Prepare(*tables.database, sql.c_str());
  if (!statement.ok()) return statement.status();
  auto row = (*statement)->Step();
  if (!row.ok()) return row.status();
  const std::string found(*row ? (*statement)->Bytes(0) : "no answer");
  if (found == "ok") return absl::OkStatus();
  return Damaged(table.empty() ? "journal.db" : table, 0, absl::StrFormat("journal.db is damaged: %s", found));
}

void JournalVerification::Found(const absl::Status& status) { problems_.push_back(ProblemOf(status)); }

bool JournalVerification::Step(JournalTables& tables) {
  if (auto status = tables.Begin(); !status.ok()) {
    Found(status);
    return true;
  }
  bool done = false;
  switch (phase_) {
    case 0:
      done = CheckEvents(tables);
      break;
    case 1:
      done = CheckState(tables);
      break;
    case 2:
      done = CheckDeliveries(tables);
      break;
    case 3:
      done = CheckDeadLetters(tables);
      break;
    case 4:
      done = CheckSegmentIds(tables);
      break;
    case 5:
      done = CheckBlocks(tables);
      break;
    default:
      done = CheckPages(tables);
      break;
  }
  if (auto status = tables.Commit(); !status.ok()) {
    Found(status);
    if (auto undone = tables.Rollback(); !undone.ok()) return true;
  }
  if (!done) return false;
  begun_ = false;
  keys_.clear();
  next_key_ = 0;
  return ++phase_ == 7;
}

bool JournalVerification::CheckEvents(JournalTables& tables) {
  auto state = tables.journal.Get();
  if (state.ok()) next_ = std::max(next_, state->first_sequence);
  next_ = lost_.Skip(next_);
  if (next_ > last_) return true;
  auto segment = tables.segments.Next(next_);
  if (!segment.ok()) {
    Found(segment.status());
    CheckSegment(tables, std::nullopt, next_, std::min(next_ + kSegmentEvents - 1, last_));
    next_ += kSegmentEvents;
    return false;
  }
  if (*segment && (*segment)->first == next_) {
    CheckSegment(tables, *segment, next_, (*segment)->end() - 1);
    next_ = (*segment)->end();
    return false;
  }
  // The events of the open segment; or of one that is missing.
  Sequence last = std::min(next_ + kSegmentEvents - 1, last_);
  if (*segment && (*segment)->first <= last_) {
    last = std::min(last, (*segment)->first - 1);
    Found(Damaged("segments", next_, absl::StrFormat("the segment of events from %d is missing", next_)));
  }
  CheckSegment(tables, std::nullopt, next_, last);
  next_ = last + 1;
  return false;
}

void JournalVerification::CheckSegment(JournalTables& tables, const std::optional<Segment>& segment, Sequence first,
                                       Sequence last) {
  Segment read;
  read.first = first;
  const size_t found_before = problems_.size();
  ScanEvents(
      tables, lost_, first, last,
      [&](const std::shared_ptr<Event>& event, int64_t checksum) {
        ++checked_events_;
        const int64_t time = ToNanos(event->publish_time);
        read.first_time = read.count == 0 ? time : std::min(read.first_time, time);
        read.last_time = read.count == 0 ? time : std::max(read.last_time, time);
        read.events_checksum = ChainChecksum(read.events_checksum, checksum);
        read.bytes += event->Bytes();
        ++read.count;
      },
      [this](const absl::Status& status) { Found(status); });
  if (segment && problems_.size() == found_before && !(read == *segment)) {
    Found(Damaged("segments", first, absl::StrFormat("the segment of events from %d does not fit to its events", first)));
  }
}

bool JournalVerification::CheckState(JournalTables& tables) {
  if (auto state = tables.journal.Get(); !state.ok()) Found(state.status());
  if (auto losses = tables.losses.Load(); !losses.ok()) Found(losses.status());
  tables.listeners.Load([this](const absl::Status& status) { Found(status); });
  const auto replays = tables.deliveries.ForEachReplay([this](const absl::StatusOr<Replay>& replay) {
    if (!replay.ok()) Found(replay.status());
  });
  if (!replays.ok()) Found(replays);
  return true;
}

bool JournalVerification::CheckDeliveries(JournalTables& tables) {
  auto more = tables.deliveries.Scan(place_, kRowsAtOnce, 0, [this](const auto& delivery) {
    if (!delivery.ok()) Found(delivery.status());
  });
  if (!more.ok()) Found(more.status());
  return !more.ok() || !*more;
}

bool JournalVerification::CheckDeadLetters(JournalTables& tables) {
  if (!begun_) {
    begun_ = true;
    auto state = tables.journal.Get();
    auto status = tables.dead_letters.ForEachKey([this](uint64_t id, ListenerId, uint64_t) { keys_.push_back(id); });
    if (!status.ok()) Found(status);
    if (status.ok() && state.ok() && keys_.size() != state->dead_letters) {
      Found(Damaged("dead_letters", 0,
                    absl::StrFormat("there are %d dead letters, but %d were written", keys_.size(), state->dead_letters)));
    }
  }
  for (size_t left = kRowsAtOnce; left > 0 && next_key_ < keys_.size(); --left) {
    auto letter = tables.dead_letters.Get(keys_[next_key_++]);
    if (!letter.ok()) Found(letter.status());
  }
  return next_key_ == keys_.size();
}

bool JournalVerification::CheckSegmentIds(JournalTables& tables) {
  if (!begun_) {
    begun_ = true;
    auto firsts = tables.segments.WithIds();
    if (!firsts.ok()) Found(firsts.status());
    if (firsts.ok()) keys_ = *std::move(firsts);
  }
  for (size_t left = kRowsAtOnce; left > 0 && next_key_ < keys_.size(); --left) {
    auto ids = tables.segments.Ids(keys_[next_key_++]);
    if (!ids.ok()) Found(ids.status());
  }
  return next_key_ == keys_.size();
}

bool JournalVerification::CheckBlocks(JournalTables& tables) {
  auto blocks = tables.ids.Load();
  if (!blocks.ok()) {
    Found(blocks.status());
    return true;
  }
  if (!begun_) {
    begun_ = true;
    for (const IdRows::Block& block : *blocks) keys_.push_back(block.number);
  }
  if (next_key_ == keys_.size()) return true;
  const uint64_t number = keys_[next_key_];
  // One that was dropped meanwhile has no buckets.
  const bool there = std::any_of(blocks->begin(), blocks->end(), [number](const auto& block) { return block.number == number; });
  for (size_t left = kRowsAtOnce * 4; there && left > 0 && bucket_ < IdBlock::kBuckets; --left) {
    if (auto status = tables.ids.Check(number, bucket_++); !status.ok()) Found(status);
  }
  if (!there || bucket_ == IdBlock::kBuckets) {
    bucket_ = 0;
    ++next_key_;
  }
  return next_key_ == keys_.size();
}

bool JournalVerification::CheckPages(JournalTables& tables) {
  if (!begun_) {
    begun_ = true;
    auto pages = tables.database->QueryNumber("PRAGMA page_count");
    auto page_bytes = tables.database->QueryNumber("PRAGMA page_size");
    if (!pages.ok() || !page_bytes.ok()) {
      Found(pages.ok() ? page_bytes.status() : pages.status());
      return true;
    }
    if (*pages * *page_bytes <= kWholeFileBytes) {
      if (auto status = CheckPagesOf(tables, ""); !status.ok()) Found(status);
      return true;
    }
  }
  if (auto status = CheckPagesOf(tables, kTables[next_key_]); !status.ok()) Found(status);
  return ++next_key_ == kTables.size();
}

}  // namespace pvebus::bus
