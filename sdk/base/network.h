#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/base/ip_address.h"

namespace pvebus {

// A link as the kernel has it.
struct Link {
  int index = 0;
  std::string name;
  std::string kind;         // the kernel's word: "vlan", "bridge", "bond", "veth", ...; empty for what has none (a network card)
  int lower_index = 0;      // a VLAN's parent; 0: none, or in another network namespace
  int master_index = 0;     // the bridge, bond or VRF that it belongs to; 0: none
  uint16_t tag = 0;         // of a VLAN
  bool dot1q = false;       // of a VLAN: 802.1Q (and not 802.1ad)
  uint32_t mtu = 0;         // bytes
  bool up = false;          // somebody wants it up (IFF_UP)
  bool running = false;     // it can carry packets (IFF_LOWER_UP)
  bool vlan_aware = false;  // of a bridge: it filters by VLAN
  std::vector<uint16_t> bridge_vids;  // of a VLAN-aware bridge: the VLANs that its own port has with their tag; sorted
  std::vector<IpPrefix> addresses;    // as given to it: host and length; without IPv6 link-local ones
};

// A route of the main table that leaves through a link.
struct LinkRoute {
  int link_index = 0;
  IpPrefix subnet;
  std::optional<IpAddress> gateway;
};

// The node's network at one moment. A value.
struct NetworkSnapshot {
  std::vector<Link> links;
  std::vector<LinkRoute> routes;

  // Null when there is none.
  const Link* Find(std::string_view name) const;
  const Link* Find(int index) const;
};

// Where the kernel would send a packet now.
struct FoundRoute {
  int link_index = 0;
  std::optional<IpAddress> gateway;  // none: the destination is on the link
  bool local = false;                // the destination is this node
};

}  // namespace pvebus
