#pragma once

#include <deque>
#include <vector>

#include "bus-service/core/event.h"

namespace pvebus::bus {

// The newest events, up to a number of bytes: who keeps up never waits for the disk. One thread.
class EventTail {
 public:
  explicit EventTail(size_t max_bytes) : max_bytes_(max_bytes) {}

  // Requires: after all that are there.
  void Add(EventPtr event);
  void DropBefore(Sequence sequence);

  // Of the oldest one; nothing at or after it is missing here. 0 when empty.
  Sequence first_sequence() const { return events_.empty() ? 0 : events_.front()->sequence; }
  bool Covers(Sequence sequence) const { return !events_.empty() && sequence >= events_.front()->sequence; }
  // Null when there is none.
  EventPtr Get(Sequence sequence) const;
  // From `from` on, as EventLog::Read.
  std::vector<EventPtr> Read(Sequence from, size_t max_events, size_t max_bytes) const;
  // The first event in [first, last] that `matches`; null when there is none.
  template <typename Matches>
  EventPtr FindIn(Sequence first, Sequence last, Matches matches) const {
    for (auto event = LowerBound(first); event != events_.end() && (*event)->sequence <= last; ++event) {
      if (matches(**event)) return *event;
    }
    return nullptr;
  }

 private:
  std::deque<EventPtr>::const_iterator LowerBound(Sequence sequence) const;

  const size_t max_bytes_;
  std::deque<EventPtr> events_;  // ascending
  size_t bytes_ = 0;
};

}  // namespace pvebus::bus
