#include "bus-service/core/ledger.h"

#include <algorithm>
#include <cassert>

namespace pvebus::bus {

Publication& Ledger::Add(std::unique_ptr<Publication> publication) {
  assert(publication->event->sequence == last_sequence_ + 1);
  last_sequence_ = publication->event->sequence;
  by_event_id_[publication->event->event_id] = publication.get();
  if (!publication->request_id.empty()) by_request_id_[publication->request_id] = publication.get();
  publications_.push_back(std::move(publication));
  return *publications_.back();
}

void Ledger::Forget(const Publication& publication) {
  by_event_id_.erase(publication.event->event_id);
  if (!publication.request_id.empty()) by_request_id_.erase(publication.request_id);
}

void Ledger::RemoveLast() {
  Forget(*publications_.back());
  publications_.pop_back();
  --last_sequence_;
}

void Ledger::DropFirst() {
  Forget(*publications_.front());
  row_bytes_ -= publications_.front()->RowBytes();
  publications_.pop_front();
}

Publication* Ledger::Find(Sequence sequence) const {
  if (empty() || sequence < first_sequence() || sequence > last_sequence()) return nullptr;
  return publications_[sequence - first_sequence()].get();
}

Publication* Ledger::FindByEventId(const std::string& event_id) const {
  const auto it = by_event_id_.find(event_id);
  return it == by_event_id_.end() ? nullptr : it->second;
}

Publication* Ledger::FindByRequestId(const std::string& request_id) const {
  const auto it = by_request_id_.find(request_id);
  return it == by_request_id_.end() ? nullptr : it->second;
}

Sequence Ledger::FirstAtOrAfter(SystemTime time) const {
  const auto it = std::partition_point(publications_.begin(), publications_.end(),
                                       [time](const auto& publication) { return publication->event->publish_time < time; });
  return first_sequence() + static_cast<Sequence>(it - publications_.begin());
}

}  // namespace pvebus::bus
