#include "sdk/client/recent_events.h"

namespace pvebus::client {
namespace {

// Hook results that are longer are not worth keeping 4,096 times: the second acknowledgement goes without them.
constexpr size_t kMaxAcknowledgementBytes = 1024;

}  // namespace

void RecentEvents::Remember(const std::string& event_id, const bus::v1::Acknowledgement& acknowledgement) {
  if (capacity_ == 0 || event_id.empty()) return;
  const auto [entry, is_new] = acknowledgements_.try_emplace(event_id);
  if (acknowledgement.ByteSizeLong() <= kMaxAcknowledgementBytes) acknowledgement.SerializeToString(&entry->second);
  if (!is_new) return;
  oldest_first_.push_back(event_id);
  if (oldest_first_.size() > capacity_) {
    acknowledgements_.erase(oldest_first_.front());
    oldest_first_.pop_front();
  }
}

std::optional<bus::v1::Acknowledgement> RecentEvents::Find(const std::string& event_id) const {
  const auto entry = acknowledgements_.find(event_id);
  if (entry == acknowledgements_.end()) return std::nullopt;
  bus::v1::Acknowledgement acknowledgement;
  acknowledgement.ParseFromString(entry->second);
  return acknowledgement;
}

}  // namespace pvebus::client
