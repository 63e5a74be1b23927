#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "pvebus/bus/v1/listener_service.pb.h"

namespace pvebus::client {

// A delivery on its way to the handler.
struct Work {
  uint64_t session = 0;  // which stream it came by, and the only one that may answer it
  bus::v1::Delivery delivery;
  std::unique_ptr<Work> next;  // that waits for the same key

  const std::string& key() const { return delivery.event().ordering_key(); }
};

// Which deliveries may be handled now: of each ordering key one at a time, in the order of arrival. A key stays busy until its
// delivery is finished, even when the stream that brought it is gone. One thread at a time.
class DeliveryQueue {
 public:
  void Add(std::unique_ptr<Work> work);
  bool HasReady() const { return !ready_.empty(); }
  // The next one, whose key is busy from now on; null when none is ready.
  std::unique_ptr<Work> Take();
  // Requires: `work` was taken.
  void Finish(const Work& work);
  // Everything that was not taken; the keys of what was taken stay busy.
  std::vector<std::unique_ptr<Work>> DropWaiting();

 private:
  struct Waiting {
    std::unique_ptr<Work> first;
    Work* last = nullptr;  // valid when there is a first
  };

  std::deque<std::unique_ptr<Work>> ready_;
  // The busy keys, each with what waits for it.
  absl::flat_hash_map<std::string, Waiting> busy_;
};

}  // namespace pvebus::client
