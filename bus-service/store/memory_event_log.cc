#include "bus-service/store/memory_event_log.h"

#include <algorithm>
#include <cassert>

namespace pvebus::bus {

void MemoryEventLog::Restore(const std::vector<EventPtr>& events, Sequence last_sequence) {
  events_.assign(events.begin(), events.end());
  for (const EventPtr& event : events) bytes_ += event->Bytes();
  last_sequence_ = last_sequence;
}

void MemoryEventLog::Append(std::shared_ptr<Event> event, AppendDone done) {
  assert(event->sequence == last_sequence_ + 1);
  last_sequence_ = event->sequence;
  bytes_ += event->Bytes();
  events_.push_back(std::move(event));
  done(absl::OkStatus());
}

void MemoryEventLog::Read(Sequence from, size_t max_events, size_t max_bytes, ReadDone done) {
  std::vector<EventPtr> events;
  if (!events_.empty()) {
    const Sequence first = events_.front()->sequence;
    size_t bytes = 0;
    for (size_t i = from > first ? from - first : 0; i < events_.size() && events.size() < max_events; ++i) {
      bytes += events_[i]->Bytes();
      if (!events.empty() && bytes > max_bytes) break;
      events.push_back(events_[i]);
    }
  }
  done(std::move(events));
}

void MemoryEventLog::DropFirst() {
  assert(!events_.empty());
  bytes_ -= events_.front()->Bytes();
  events_.pop_front();
}

EventLog::Stats MemoryEventLog::GetStats() const {
  Stats stats;
  stats.event_count = events_.size();
  stats.event_bytes = bytes_;
  stats.max_event_bytes = max_bytes_;
  stats.first_sequence = events_.empty() ? 0 : events_.front()->sequence;
  stats.last_sequence = last_sequence_;
  return stats;
}

}  // namespace pvebus::bus
