#pragma once

#include <vector>

#include "absl/status/status.h"
#include "bus-service/store/id_hash.h"
#include "bus-service/store/journal_tables.h"

namespace pvebus::bus {

// Puts events into the journal, and closes segments as they fill. Copied before a transaction, so that one that fails leaves
// nothing. One thread at a time.
class SegmentWriter {
 public:
  explicit SegmentWriter(IdHash hash) : hash_(hash) {}

  // An event that is in the tables already, after the last segment.
  void Resume(const Event& event, int64_t checksum) { Take(event, checksum); }
  // Requires: its sequence is the one after the last.
  absl::Status Put(JournalTables& tables, const Event& event);
  // What is open becomes a segment, so that the next event may begin elsewhere.
  absl::Status Close(JournalTables& tables);
  // Events before `end` are forgotten, but for those of a segment that cannot be: at most `most_events` of them at once. Gives
  // the first sequence that is still there.
  absl::StatusOr<Sequence> Drop(JournalTables& tables, Sequence first, Sequence end, uint64_t most_events);

  // Since the last call: the ends of segments that were closed, and the ids of all events.
  std::vector<Sequence> TakeEnds() { return std::exchange(ends_, {}); }
  std::vector<IdEntry> TakeIds() { return std::exchange(new_ids_, {}); }

 private:
  struct OpenEvent {
    uint64_t bytes = 0;
    int64_t time = 0;
    int64_t checksum = 0;
  };

  void Take(const Event& event, int64_t checksum);
  Segment OpenSegment() const;
  // The open segment begins at `first`.
  void CutOpen(Sequence first);
  // A closed segment that now begins at `first`.
  absl::Status Cut(JournalTables& tables, const Segment& segment, Sequence first);

  IdHash hash_;
  Sequence open_first_ = 0;
  uint64_t open_bytes_ = 0;
  std::vector<OpenEvent> open_;
  std::vector<IdEntry> open_ids_;
  std::vector<Sequence> ends_;
  std::vector<IdEntry> new_ids_;
};

}  // namespace pvebus::bus
