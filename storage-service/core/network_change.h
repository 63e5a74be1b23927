#pragma once

#include <string>
#include <vector>

#include "sdk/base/ip_address.h"
#include "storage-service/core/storage_state.h"

namespace pvebus::storage {

// One interface that a NetworkApplied names: what its old and its new configuration together mention.
struct InterfaceChange {
  std::string target;
  std::vector<std::string> related;  // ports, slaves, VLAN parent, before and after
  std::vector<IpPrefix> addresses;   // before and after
  bool gateway = false;              // it had or has a gateway, so that what is far away may be reached otherwise
};

// Whether a change of the network can touch how a storage is reached.
struct Impact {
  bool touched = false;
  std::string why;  // for eyes, either way: "rides on vmbr0.100 > vmbr0, which changed", "its way (eno1) did not change"
};

// Judged by the way that was measured last. Touched: an interface of the way (by name; also a VLAN, port or slave of one that
// changed), an address whose subnet holds an endpoint, a gateway when the way leads through one, and whatever has no known
// way: never measured, unresolved, no route, no endpoints. Local and disabled storages never are. Pure.
Impact ImpactOn(const StorageStatus& status, const std::vector<InterfaceChange>& changes);

}  // namespace pvebus::storage
