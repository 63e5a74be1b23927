#pragma once

#include <string>
#include <vector>

#include "container-service/core/container_config.h"
#include "container-service/core/network_finding.h"
#include "sdk/base/network.h"

namespace pvebus::container {

// An interface of a container, compared with what the kernel has of it.
struct CheckedLink {
  std::string interface;  // "net0"
  std::string found;      // for eyes: "veth101i0 is up, in vmbr0, MTU 1500"; empty when it is missing
  NetworkFindings findings;
};

// Whether the devices of each interface are there, up (unless link_down), in the bridges that the file says (those of the
// firewall included), with the MTU that it says. What cannot be judged is not found wrong: which Open vSwitch bridge a device is
// in the kernel does not tell. Requires: the configuration has a container_id. Pure; any thread.
std::vector<CheckedLink> CheckLinks(const ContainerConfig& config, const NetworkSnapshot& network);

// The bridge that Proxmox VE puts an interface with this tag into: a VLAN of a bridge that is not VLAN-aware has a bridge of its
// own.
std::string BridgeFor(const std::string& bridge, std::optional<uint16_t> tag, bool vlan_aware);

// Where the interface is attached: its bridge or vnet. Null: nowhere.
const std::string* AttachedTo(const NetworkInterface& interface);

}  // namespace pvebus::container
