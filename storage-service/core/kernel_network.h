#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sdk/base/ip_address.h"

namespace pvebus::storage {

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

// The kernel's network. Any thread. Changes need CAP_NET_ADMIN: without it FAILED_PRECONDITION NET_ADMIN_MISSING; what the
// kernel was built without is FAILED_PRECONDITION KERNEL_SUPPORT_MISSING. What is there already (or gone already) is no error,
// except that CreateVlan of an existing name is ALREADY_EXISTS LINK_EXISTS and a link that is missing is NOT_FOUND LINK_MISSING,
// also to DeleteLink. Every other refusal of the kernel is FAILED_PRECONDITION KERNEL_REFUSED with its reason. UNAVAILABLE
// NETWORK_UNSETTLED: it changes faster than it can be read.
class KernelNetwork {
 public:
  virtual ~KernelNetwork() = default;

  virtual absl::StatusOr<NetworkSnapshot> Read() = 0;
  // Nothing when the kernel has no route (unreachable, prohibited and blackhole routes are none).
  virtual absl::StatusOr<std::optional<FoundRoute>> Lookup(const IpAddress& destination) = 0;

  virtual absl::Status CreateVlan(const std::string& base, const std::string& name, uint16_t tag) = 0;
  virtual absl::Status DeleteLink(const std::string& name) = 0;
  virtual absl::Status SetMtu(const std::string& name, uint32_t mtu_bytes) = 0;
  virtual absl::Status SetUp(const std::string& name, bool up) = 0;
  virtual absl::Status AddAddress(const std::string& name, const IpPrefix& address) = 0;
  virtual absl::Status RemoveAddress(const std::string& name, const IpPrefix& address) = 0;
  // `gateway` is on the link, whatever its addresses say (onlink).
  virtual absl::Status AddRoute(const std::string& name, const IpPrefix& subnet, const IpAddress& gateway) = 0;
  virtual absl::Status RemoveRoute(const std::string& name, const IpPrefix& subnet, const IpAddress& gateway) = 0;
  // The bridge's own port is a tagged member of the VLAN, or no more. One that is an untagged member (the PVID) is left as it is:
  // to Add it is KERNEL_REFUSED, to Remove it is nothing to do.
  virtual absl::Status AddBridgeVid(const std::string& bridge, uint16_t tag) = 0;
  virtual absl::Status RemoveBridgeVid(const std::string& bridge, uint16_t tag) = 0;
};

// Rules that let only some subnets be reached through a link, in a table of our own that is nobody else's. Any thread. Errors as
// KernelNetwork's.
class LinkIsolation {
 public:
  virtual ~LinkIsolation() = default;

  // The subnets that may be reached through the link, sorted; nothing when it is not isolated.
  virtual absl::StatusOr<std::optional<std::vector<IpPrefix>>> Read(const std::string& link) = 0;
  // Replaces what there was, at once for every packet.
  virtual absl::Status Isolate(const std::string& link, const std::vector<IpPrefix>& subnets) = 0;
  virtual absl::Status Release(const std::string& link) = 0;
};

}  // namespace pvebus::storage
