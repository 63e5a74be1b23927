#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
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
  struct Entry {
    std::string event_id;
    std::string acknowledgement;  // serialised: mostly empty
  };

  Entry& Add(const std::string& event_id);

  const size_t capacity_;
  std::deque<Entry> entries_;  // a ring when it is full
  size_t oldest_ = 0;
  absl::flat_hash_map<std::string_view, Entry*> by_id_;
};

}  // namespace pvebus::client
