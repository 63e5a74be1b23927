#include "sdk/client/recent_events.h"

#include <utility>

namespace pvebus::client {
namespace {

// Hook results that are longer are not worth keeping 4,096 times: the second acknowledgement goes without them.
constexpr size_t kMaxAcknowledgementBytes = 1024;

}  // namespace

void RecentEvents::Remember(const std::string& event_id, const bus::v1::Acknowledgement& acknowledgement) {
  if (capacity_ == 0 || event_id.empty()) return;
  std::string& said = newer_[event_id];
  if (acknowledgement.ByteSizeLong() <= kMaxAcknowledgementBytes) acknowledgement.SerializeToString(&said);
  if (newer_.size() < capacity_) return;
  std::swap(older_, newer_);
  newer_.clear();
  newer_.reserve(capacity_);  // a busy listener's: it need not grow again and again
}

std::optional<bus::v1::Acknowledgement> RecentEvents::Find(const std::string& event_id) const {
  auto said = newer_.find(event_id);
  if (said == newer_.end()) {
    said = older_.find(event_id);
    if (said == older_.end()) return std::nullopt;
  }
  bus::v1::Acknowledgement acknowledgement;
  acknowledgement.ParseFromString(said->second);
  return acknowledgement;
}

}  // namespace pvebus::client
