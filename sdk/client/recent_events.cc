#include "sdk/client/recent_events.h"

namespace pvebus::client {
namespace {

// Hook results that are longer are not worth keeping 4,096 times: the second acknowledgement goes without them.
constexpr size_t kMaxAcknowledgementBytes = 1024;

}  // namespace

void RecentEvents::Remember(const std::string& event_id, const bus::v1::Acknowledgement& acknowledgement) {
  if (capacity_ == 0 || event_id.empty()) return;
  const auto known = by_id_.find(event_id);
  Entry& entry = known != by_id_.end() ? *known->second : Add(event_id);
  if (acknowledgement.ByteSizeLong() <= kMaxAcknowledgementBytes) acknowledgement.SerializeToString(&entry.acknowledgement);
}

RecentEvents::Entry& RecentEvents::Add(const std::string& event_id) {
  const bool full = entries_.size() == capacity_;
  Entry& entry = full ? entries_[oldest_] : entries_.emplace_back();
  if (full) {
    by_id_.erase(entry.event_id);
    entry.acknowledgement.clear();
    oldest_ = (oldest_ + 1) % capacity_;
  }
  entry.event_id = event_id;
  by_id_.emplace(entry.event_id, &entry);
  return entry;
}

std::optional<bus::v1::Acknowledgement> RecentEvents::Find(const std::string& event_id) const {
  const auto known = by_id_.find(event_id);
  if (known == by_id_.end()) return std::nullopt;
  bus::v1::Acknowledgement acknowledgement;
  acknowledgement.ParseFromString(known->second->acknowledgement);
  return acknowledgement;
}

}  // namespace pvebus::client
