#pragma once

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

#include "pvebus/bus/v1/listener_service.pb.h"

namespace pvebus::client {

// The last events that were handled with success, and what was said about them, so that one that comes again is acknowledged
// without being handled twice. Forgets the oldest first. One thread at a time.
class RecentEvents {
 public:
  explicit RecentEvents(size_t capacity) : capacity_(capacity) {}

  void Remember(const std::string& event_id, const bus::v1::Acknowledgement& acknowledgement);
  std::optional<bus::v1::Acknowledgement> Find(const std::string& event_id) const;

 private:
  const size_t capacity_;
  std::unordered_map<std::string, std::string> acknowledgements_;  // serialised: mostly empty
  std::deque<std::string> oldest_first_;
};

}  // namespace pvebus::client
