#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "network-service/core/interface.h"

namespace pvebus::network {

// What ifupdown2 makes of an interface, as far as the kernel shows it afterwards. Pure; any thread.

// The link that has what the interface says: "eno1:1" are more addresses of eno1.
std::string LinkNameOf(const Interface& interface);

// The kernel's word for the link: "bridge", "bond", "vlan", "vxlan". Empty: a link of any kind will do.
std::string_view KindOf(const Interface& interface);

// A network card, which nobody can make. Others without a kind of their own are made all the same: dummies, tunnels, VRFs.
bool IsNetworkCard(const Interface& interface);

// "glob eno*", "swp[1-4]": names no link by itself.
bool IsPattern(std::string_view name);

// The ports of a bridge or the slaves of a bond, patterns among them.
const std::set<std::string>* MembersOf(const Interface& interface);
bool HasPatterns(const Interface& interface);

// `link-down yes`.
bool StaysDown(const Interface& interface);

// Whether the addresses of a family are what a server or a router gives it: they are not known, and static ones are ignored.
bool IsLeased(const Interface& interface, bool v6);

// Whether ifupdown2 gives it this address of its own, and the kernel shows it: no IPv6 link-local one, no 0.0.0.0.
bool GetsAddress(const Interface& interface, const IpPrefix& address);

// A link of a running guest: Proxmox VE's ifupdown2 leaves it, and the bridge that it is in, alone.
bool IsOfGuest(std::string_view link_name);

// Empty when it has no such option.
std::string OptionOf(const Interface& interface, const std::string& name);

}  // namespace pvebus::network
