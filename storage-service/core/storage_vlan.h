#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "sdk/base/clock.h"
#include "sdk/base/ip_address.h"

namespace pvebus::storage {

// The VLAN of a storage as an operator wants it. A value.
struct StorageVlan {
  std::string storage_id;
  std::string base;                      // the interface that it rides on
  uint16_t tag = 0;                      // 1..4094
  IpPrefix address;                      // the node's own in the VLAN, with the length of the subnet
  uint32_t mtu = 0;                      // bytes; 0: the base's
  std::optional<IpAddress> gateway;      // for routed_subnets only, never the default route
  std::vector<IpPrefix> routed_subnets;  // reached through the gateway; sorted
  bool isolated = false;                 // only its own and the routed subnets may be reached through it

  // <base>.<tag>
  std::string LinkName() const;
  // What may be reached through it when it is isolated; sorted.
  std::vector<IpPrefix> ReachableSubnets() const;
  // For eyes: "vmbr0.100 10.1.0.5/24 mtu 9000 via 10.1.0.1 to 10.2.0.0/16 isolated".
  std::string ToString() const;
  bool operator==(const StorageVlan&) const = default;
};

inline constexpr size_t kLongestStorageId = 100;
inline constexpr size_t kLongestLinkName = 15;  // bytes, as the kernel has it
inline constexpr uint32_t kMostMtu = 65535;
// Bytes; more where the address is IPv6.
uint32_t LeastMtu(const StorageVlan& vlan);

// INVALID_ARGUMENT naming the field and the limit: STORAGE_ID_INVALID, BASE_INVALID (a name the kernel would not take, or other
// characters than letters, digits and - _ . +), TAG_INVALID, LINK_NAME_TOO_LONG (15 bytes), ADDRESS_INVALID (the subnet itself,
// broadcast, multicast, loopback, link-local, no length), MTU_INVALID (0, or 68..65535; 1280 at least for IPv6), GATEWAY_INVALID
// (its own address, another family, no host, without subnets), ROUTE_INVALID (no subnet, its own, a default route, another
// family, twice, without a gateway, more than 64).
absl::Status CheckStorageVlan(const StorageVlan& vlan);

// What of a VLAN we made, or are about to (it is written down before), and therefore take away with it; the rest was there before
// us.
struct MadeParts {
  bool link = false;
  bool bridge_vid = false;
  bool address = false;
  bool up = false;
  std::vector<IpPrefix> routes;
  bool operator==(const MadeParts&) const = default;
};

// A definition as it is kept.
struct StorageVlanRecord {
  enum class Phase {
    kDefined,
    kCreating,    // it is about to be made for the first time: a definition only once that has worked
    kDeleting,    // it is about to go
    kRecreating,  // defined; its link is about to be made again, and nobody was told yet
  };
  StorageVlan vlan;
  Phase phase = Phase::kDefined;
  MadeParts made;
  SystemTime create_time{};
  bool operator==(const StorageVlanRecord&) const = default;
};

}  // namespace pvebus::storage
