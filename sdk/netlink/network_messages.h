#pragma once

#include <netlink/msg.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "sdk/base/network.h"

namespace pvebus {

// The kernel's rtnetlink messages as our values; nothing when a message is about something else.

// Without its addresses and VIDs, which come in messages of their own.
std::optional<Link> LinkOf(nlmsghdr* message);

struct LinkAddress {
  int link_index = 0;
  IpPrefix address;
};
std::optional<LinkAddress> AddressOf(nlmsghdr* message);

// A unicast route of the main table, once per hop.
std::vector<LinkRoute> RoutesOf(nlmsghdr* message);

// The answer to a look-up; nothing: there is no way.
std::optional<FoundRoute> FoundRouteOf(nlmsghdr* message);

// The VLANs of a port of a bridge, or of the bridge's own.
struct PortVids {
  int link_index = 0;
  std::vector<uint16_t> tagged;
  std::vector<uint16_t> untagged;  // leave the port without a tag, or are given to what comes without one (PVID)
};
std::optional<PortVids> PortVidsOf(nlmsghdr* message);

}  // namespace pvebus
