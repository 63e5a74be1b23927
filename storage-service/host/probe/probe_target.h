#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "sdk/base/clock.h"
#include "storage-service/core/storage_endpoints.h"
#include "storage-service/core/storage_state.h"

namespace pvebus::storage {

// What is said to a server to see that it lives, beyond that its kernel accepts connections. A value.
struct Greeting {
  std::string bytes;     // empty: nothing is said, a connection is enough
  std::string answer;    // what the server's answer must have
  size_t answer_at = 0;  // from this byte on
};

// What is to be reached.
struct ProbeTarget {
  Endpoint endpoint;
  Greeting greeting;
};

// How that ended. Of several addresses the best.
struct ProbeResult {
  Reachability reachability = Reachability::kUnknown;
  std::string address;  // the one that was tried; empty when the name was not resolved
  uint16_t port = 0;
  Duration latency{};
  std::string message;  // why it is not reachable, as what its address is followed by
};

}  // namespace pvebus::storage
