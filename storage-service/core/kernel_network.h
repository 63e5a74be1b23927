#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sdk/base/ip_address.h"
#include "sdk/base/network.h"

namespace pvebus::storage {

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
