#pragma once

#include "absl/status/status.h"
#include "sdk/service/listen_address.h"

namespace pvebus::service {

// gRPC tells nobody why it could not bind, and it takes a unix socket away from a living server: so ask before.
// OK when `address` is free; a stale unix socket is removed. Otherwise ALREADY_EXISTS ADDRESS_IN_USE, or FAILED_PRECONDITION
// ADDRESS_UNUSABLE with the system's reason.
absl::Status ProbeListenAddress(const ListenAddress& address);

}  // namespace pvebus::service
