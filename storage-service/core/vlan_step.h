#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sdk/base/ip_address.h"
#include "storage-service/core/kernel_network.h"
#include "storage-service/core/storage_vlan.h"

namespace pvebus::storage {

// The subnets that may be reached through a link; nothing: it is not isolated.
using Reachable = std::optional<std::vector<IpPrefix>>;

// What the plans look at. A value.
struct VlanState {
  NetworkSnapshot network;
  Reachable reachable;  // of the VLAN's link; read only for a VLAN that is to be isolated
};

// One change of the kernel for a VLAN. A value.
struct VlanStep {
  enum class Part { kLink, kMtu, kIsolation, kBridgeVid, kAddress, kUp, kRoute };
  Part part = Part::kLink;
  bool removes = false;  // takes the part away (or the link down) instead of making it; of kMtu and kIsolation always false
  uint32_t mtu = 0;      // of kMtu
  uint32_t mtu_before = 0;
  IpPrefix subnet;      // of kRoute
  Reachable reachable;  // of kIsolation
  Reachable reachable_before;

  // What takes it back.
  VlanStep Inverse() const;
  bool operator==(const VlanStep&) const = default;
};

// For eyes: "create vmbr0.100, set its MTU to 9000" or, `done`, "created vmbr0.100, set its MTU to 9000".
std::string StepsText(const StorageVlan& vlan, const std::vector<VlanStep>& steps, bool done);
// For eyes: what is not as it should be where these steps are missing: "MTU 1500 instead of 9000, address 10.1.0.5/24 is
// missing".
std::string FindingsText(const StorageVlan& vlan, const std::vector<VlanStep>& steps);
// For eyes: what there is of the VLAN: "missing", "mtu 1500, down, no address".
std::string StateText(const StorageVlan& vlan, const VlanState& state);
// What there would be after the steps. Requires: they were planned for this state.
VlanState AfterSteps(const StorageVlan& vlan, const std::vector<VlanStep>& steps, VlanState state);

}  // namespace pvebus::storage
