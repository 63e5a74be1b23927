#pragma once

#include <vector>

#include "pvebus/event/v1/event.pb.h"
#include "storage-service/core/network_change.h"

namespace pvebus::storage {

// What a NetworkApplied says of each interface, in its order. The configurations have the original project's form; what is
// missing or of another type says nothing. Pure; any thread.
std::vector<InterfaceChange> InterfaceChangesOf(const event::v1::NetworkApplied& applied);

}  // namespace pvebus::storage
