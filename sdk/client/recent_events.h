#pragma once

#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "pvebus/bus/v1/listener_service.pb.h"

namespace pvebus::client {

// The last events that were handled with success, and what was said about them, so that one that comes again is acknowledged
// without being handled twice. Forgets half of them at once, the older ones. One thread at a time.
class RecentEvents {
 public:
  // Remembers at least so many, at most twice as many.
  explicit RecentEvents(size_t capacity) : capacity_(capacity) {}

  void Remember(const std::string& event_id, const bus::v1::Acknowledgement& acknowledgement);
  std::optional<bus::v1::Acknowledgement> Find(const std::string& event_id) const;

 private:
  // By event id; serialised, and mostly empty. Nothing is erased singly, which would make the map tidy itself up all the time.
  using Acknowledgements = absl::flat_hash_map<std::string, std::string>;

  const size_t capacity_;
  Acknowledgements newer_;
  Acknowledgements older_;
};

}  // namespace pvebus::client
