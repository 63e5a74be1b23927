#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "absl/status/statusor.h"
#include "network-service/core/network_node.h"
#include "sdk/base/clock.h"

namespace pvebus::network {

// Takes Proxmox VE's lock (flock) of the network configuration in `folder`, for which it waits at most `limit`. UNAVAILABLE
// CONFIGURATION_LOCKED; CANCELLED WAIT_STOPPED; FAILED_PRECONDITION CONFIGURATION_UNWRITABLE when there can be no such lock. Any
// thread.
absl::StatusOr<std::unique_ptr<NodeLock>> LockConfiguration(const std::string& folder, Duration limit,
                                                            const std::stop_token& stop);

}  // namespace pvebus::network
