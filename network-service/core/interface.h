#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "sdk/base/ip_address.h"

namespace pvebus::network {

// The values of options that no field of an interface has, by name: bridge-stp, post-up, ... One value, or of a repeatable option
// every value in the order of the file. In bytes of the file: they may be no UTF-8.
using Options = std::map<std::string, std::vector<std::string>>;

// What kind of link it is. Names of other links are as written, lists of them are sets.
struct Loopback {
  bool operator==(const Loopback&) const = default;
};
struct Physical {
  bool operator==(const Physical&) const = default;
};
struct Bridge {
  std::set<std::string> ports;  // "glob ..." and "regex ..." of ifupdown2 are one member
  bool vlan_aware = false;

  bool operator==(const Bridge&) const = default;
};
struct Bond {
  std::set<std::string> slaves;
  std::string mode = "balance-rr";  // numbers became names
  Options options;                  // bond-miimon, ...

  bool operator==(const Bond&) const = default;
};
struct Vlan {
  std::string parent;
  uint32_t tag = 0;  // 0: it has none

  bool operator==(const Vlan&) const = default;
};
struct Vxlan {
  uint32_t id = 0;                   // 0: it has none that is a number
  std::string local;                 // empty: none
  std::vector<std::string> remotes;  // as many as there are, in order
  std::optional<uint16_t> dstport;

  bool operator==(const Vxlan&) const = default;
};
struct Ovs {
  std::string type;    // as written: OVSBridge, OVSBond, OVSPort, OVSIntPort, ...
  std::string bridge;  // empty: none
  std::set<std::string> ports;
  std::set<std::string> slaves;

  bool operator==(const Ovs&) const = default;
};
using InterfaceType = std::variant<Physical, Loopback, Bridge, Bond, Vlan, Vxlan, Ovs>;

enum class Method { kNone, kStatic, kDhcp, kManual, kAuto, kLoopback, kPpp, kTunnel };

// One interface of the effective configuration: all of its stanzas together. Two that mean the same are equal: comments, the
// order of options, blanks and aliases of names are gone. A value.
struct Interface {
  std::string name;
  InterfaceType type;
  Method method = Method::kNone;    // of IPv4; none: no stanza of it
  Method method6 = Method::kNone;   // of IPv6
  std::vector<IpPrefix> addresses;  // IPv4 first, each family in its order
  std::optional<IpAddress> gateway;
  std::optional<IpAddress> gateway6;
  std::optional<uint32_t> mtu;
  Options options;
  bool enabled = false;  // comes up at boot: auto, allow-auto, allow-hotplug

  bool operator==(const Interface&) const = default;
};

// By name.
using Interfaces = std::map<std::string, Interface, std::less<>>;

// The links that must be there before this one: ports, slaves, the parent.
std::set<std::string> LowerLinks(const Interface& interface);

// As interfaces(5) writes it: "static"; empty for none.
std::string MethodName(Method method);

// "eno1.100" is VLAN 100 of eno1; nothing when the name says no such thing. A tag beyond all bounds is 0.
std::optional<Vlan> VlanOfName(std::string_view name);

}  // namespace pvebus::network
