#pragma once

#include "container-service/core/container_config.h"
#include "container-service/core/network_finding.h"
#include "sdk/base/network.h"
#include "sdk/base/sdn.h"

namespace pvebus::container {

// Whether each interface of a container can have what its file asks for: its bridge or vnet is on this node and in the running
// SDN configuration, tag, trunks and MTU fit it, the names of its devices fit the kernel. By interface. Pure; any thread.
NetworkFindings ValidateNetwork(const ContainerConfig& config, const Vnets& vnets, const NetworkSnapshot& network);

}  // namespace pvebus::container
