#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sdk/base/ip_address.h"
#include "storage-service/core/kernel_network.h"

namespace pvebus::storage {

// What carries the packets of a route. A value.
struct Way {
  std::string interface;  // where they leave; empty: its link is gone
  std::optional<IpAddress> gateway;
  uint16_t tag = 0;                // of the first VLAN in the chain; 0: none
  std::vector<std::string> chain;  // interface and all that it stands on: vmbr0.100, vmbr0, bond0, eno1, eno2
  bool link_up = false;            // interface and, of what it stands on, enough to carry packets
  std::string link_message;        // which link is down
};

// Down through VLAN parents, bridge ports and bond slaves. The ports that guests plug into a bridge (tun, veth) do not count
// while it has others: they carry nothing to a server. Pure; any thread.
Way WayOf(const NetworkSnapshot& network, const FoundRoute& route);

}  // namespace pvebus::storage
