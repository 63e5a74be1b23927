#include "bus-service/core/delivery_window.h"

#include <cassert>
#include <functional>

namespace pvebus::bus {

WindowEntry& DeliveryWindow::Add(EventPtr event, Slot slot) {
  const auto it = entries_.emplace_hint(entries_.end(), slot, std::make_unique<WindowEntry>());
  WindowEntry& entry = *it->second;
  assert(!entry.event);
  entry.slot = slot;
  entry.event = std::move(event);
  bytes_ += entry.event->Bytes();
  const uint64_t hash = std::hash<std::string>()(entry.event->ordering_key);
  WindowKey& key = keys_[hash];
  key.hash = hash;
  entry.key_ = &key;
  // Events nearly always come in ascending order; after a seek back they may not.
  WindowEntry* before = key.last;
  while (before && before->slot > slot) before = before->key_previous_;
  WindowEntry* after = before ? before->key_next_ : key.first;
  entry.key_previous_ = before;
  entry.key_next_ = after;
  (before ? before->key_next_ : key.first) = &entry;
  (after ? after->key_previous_ : key.last) = &entry;
  if (after) UpdateReady(*after);
  UpdateReady(entry);
  return entry;
}

void DeliveryWindow::Erase(WindowEntry& entry) {
  if (uint32_t* counter = Counter(entry.state)) --*counter;
  ForgetDeliveryIds(entry);
  if (entry.ready_) ready_.erase(entry.slot);
  bytes_ -= entry.event->Bytes();
  WindowEntry* before = entry.key_previous_;
  WindowEntry* after = entry.key_next_;
  if (!before && !after) {
    keys_.erase(entry.key_->hash);
  } else {
    WindowKey& key = *entry.key_;
    if (entry.state == WindowEntry::State::kInFlight) --key.in_flight;
    (before ? before->key_next_ : key.first) = after;
    (after ? after->key_previous_ : key.last) = before;
    UpdateReady(*key.first);
  }
  entries_.erase(entry.slot);
}

void DeliveryWindow::Clear() {
  entries_.clear();
  keys_.clear();
  ready_.clear();
  by_delivery_id_.clear();
  bytes_ = 0;
  in_flight_ = in_backoff_ = deferred_ = 0;
}

WindowEntry* DeliveryWindow::NextReady() { return ready_.empty() ? nullptr : ready_.begin()->second; }

uint32_t* DeliveryWindow::Counter(WindowEntry::State state) {
  switch (state) {
    case WindowEntry::State::kInFlight:
      return &in_flight_;
    case WindowEntry::State::kBackoff:
      return &in_backoff_;
    case WindowEntry::State::kDeferred:
      return &deferred_;
    case WindowEntry::State::kReady:
      break;
  }
  return nullptr;
}

void DeliveryWindow::SetState(WindowEntry& entry, WindowEntry::State state) {
  const bool was_in_flight = entry.state == WindowEntry::State::kInFlight;
  const bool is_in_flight = state == WindowEntry::State::kInFlight;
  if (uint32_t* counter = Counter(entry.state)) --*counter;
  entry.state = state;
  if (uint32_t* counter = Counter(entry.state)) ++*counter;
  if (was_in_flight != is_in_flight) {
    WindowKey& key = *entry.key_;
    key.in_flight += is_in_flight ? 1 : -1;
    if (key.first != &entry) UpdateReady(*key.first);
  }
  UpdateReady(entry);
}

bool DeliveryWindow::MayGo(const WindowEntry& entry) const {
  if (entry.state != WindowEntry::State::kReady || !IsFirstOfKey(entry)) return false;
  // After a seek back an event can come in before one of its key that is in flight.
  return entry.key_->in_flight == 0;
}

void DeliveryWindow::UpdateReady(WindowEntry& entry) {
  const bool ready = MayGo(entry);
  if (ready == entry.ready_) return;
  entry.ready_ = ready;
  if (ready) {
    ready_.emplace_hint(ready_.end(), entry.slot, &entry);
  } else {
    ready_.erase(entry.slot);
  }
}

void DeliveryWindow::AddDeliveryId(WindowEntry& entry, uint64_t delivery_id) {
  constexpr size_t kMostIds = 16;  // an event that is released again and again must not grow
  if (entry.delivery_ids.size() == kMostIds) {
    by_delivery_id_.erase(entry.delivery_ids.front());
    entry.delivery_ids.erase(entry.delivery_ids.begin());
  }
  entry.delivery_id = delivery_id;
  entry.delivery_ids.push_back(delivery_id);
  by_delivery_id_[delivery_id] = &entry;
}

void DeliveryWindow::ForgetDeliveryIds(WindowEntry& entry) {
  for (const uint64_t id : entry.delivery_ids) by_delivery_id_.erase(id);
  entry.delivery_ids.clear();
}

WindowEntry* DeliveryWindow::FindDelivery(uint64_t delivery_id) {
  const auto it = by_delivery_id_.find(delivery_id);
  return it == by_delivery_id_.end() ? nullptr : it->second;
}

WindowEntry* DeliveryWindow::Find(Slot slot) {
  const auto it = entries_.find(slot);
  return it == entries_.end() ? nullptr : it->second.get();
}

}  // namespace pvebus::bus
