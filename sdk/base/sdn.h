#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace pvebus {

// A virtual network of Proxmox VE's SDN and the zone that it is in, as far as a guest's interface has to fit them. A value.
struct Vnet {
  std::string zone;
  std::optional<uint32_t> tag;  // VLAN or VXLAN id
  bool vlan_aware = false;
  std::string zone_type;                   // simple, vlan, qinq, vxlan, evpn; empty: the zone is not known
  std::optional<std::string> zone_bridge;  // that its VLANs are on
  std::optional<uint32_t> zone_mtu;

  bool operator==(const Vnet&) const = default;
};

// By name.
using Vnets = std::map<std::string, Vnet, std::less<>>;

}  // namespace pvebus
