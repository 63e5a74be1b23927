#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "bus-service/core/event_log.h"
#include "bus-service/store/segment_rows.h"

namespace pvebus::bus {

// Where the journal's events are, by sequence and by time, without reading them: one entry per segment, and the events after the
// last one, whose segment is still open. Sequences ascend; between two segments some may be missing (losses). One thread.
class SegmentIndex {
 public:
  struct Range {
    Sequence first = 0;
    Sequence last = 0;
  };

  // A closed segment, after all that are there.
  void AddSegment(const Segment& segment);
  // An event of the open segment, after all that are there.
  void AddEvent(Sequence sequence, uint64_t bytes, int64_t time);
  // The events before `end` are a segment now.
  void Close(Sequence end);

  std::optional<EventLog::Chunk> Oldest() const;
  // Gives the first sequence after it. Requires: there is one.
  Sequence DropOldest();

  bool empty() const { return count_ == 0; }
  uint64_t count() const { return count_; }
  uint64_t bytes() const { return bytes_; }
  size_t segments() const { return segments_.size(); }
  // 0 when empty.
  Sequence first_sequence() const;
  Sequence last_sequence() const;
  // The first of the newest events that have at most so many bytes and are at most so many; 0 when empty. Whole segments.
  Sequence FirstOfNewest(uint64_t most_events, uint64_t most_bytes) const;

  // The first run in which an event was published at or after this time.
  std::optional<Range> RunFrom(int64_t time) const;
  // Every run that may have events published in [from, to].
  std::vector<Range> RunsBetween(int64_t from, int64_t to) const;

 private:
  struct Entry {
    Segment segment;
    int64_t latest_until = 0;   // the latest time here or before
    int64_t earliest_from = 0;  // the earliest time here or after
  };
  struct OpenEvent {
    uint64_t bytes = 0;
    int64_t time = 0;
  };

  // The first entry whose events, or those before, reach this time.
  std::deque<Entry>::const_iterator Reaching(int64_t time) const;
  Range open_range() const { return {open_first_, open_first_ + open_.size() - 1}; }

  std::deque<Entry> segments_;
  Sequence open_first_ = 0;  // valid when there are open events
  std::deque<OpenEvent> open_;
  uint64_t count_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace pvebus::bus
