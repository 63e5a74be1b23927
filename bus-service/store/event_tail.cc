#include "bus-service/store/event_tail.h"

#include <algorithm>

namespace pvebus::bus {

void EventTail::Add(EventPtr event) {
  bytes_ += event->Bytes();
  events_.push_back(std::move(event));
  while (bytes_ > max_bytes_ && events_.size() > 1) {
    bytes_ -= events_.front()->Bytes();
    events_.pop_front();
  }
}

void EventTail::DropBefore(Sequence sequence) {
  while (!events_.empty() && events_.front()->sequence < sequence) {
    bytes_ -= events_.front()->Bytes();
    events_.pop_front();
  }
}

std::deque<EventPtr>::const_iterator EventTail::LowerBound(Sequence sequence) const {
  return std::lower_bound(events_.begin(), events_.end(), sequence,
                          [](const EventPtr& event, Sequence wanted) { return event->sequence < wanted; });
}

EventPtr EventTail::Get(Sequence sequence) const {
  const auto event = LowerBound(sequence);
  return event != events_.end() && (*event)->sequence == sequence ? *event : nullptr;
}

std::vector<EventPtr> EventTail::Read(Sequence from, size_t max_events, size_t max_bytes) const {
  std::vector<EventPtr> events;
  size_t bytes = 0;
  for (auto event = LowerBound(from); event != events_.end() && events.size() < max_events; ++event) {
    bytes += (*event)->Bytes();
    if (!events.empty() && bytes > max_bytes) break;
    events.push_back(*event);
  }
  return events;
}

}  // namespace pvebus::bus
