#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pvebus::container {

// The kernel's limit for the name of an interface.
inline constexpr size_t kLongestDeviceName = 15;

// The devices that Proxmox VE puts between a container's interface and its bridge when the firewall is on.
struct FirewallDevices {
  std::string bridge;       // that the veth is in
  std::string bridge_port;  // in that bridge, the peer of
  std::string uplink;       // in the bridge of the configuration

  bool operator==(const FirewallDevices&) const = default;
};

// The devices that one interface of a container has on the host, by their names.
struct HostDevices {
  std::string veth;
  std::optional<FirewallDevices> firewall;

  // Those that cannot exist.
  std::vector<std::string_view> TooLong() const;
  bool operator==(const HostDevices&) const = default;
};
// Of net<index>. Pure; any thread.
HostDevices HostDevicesOf(uint32_t container_id, unsigned index, bool firewall);

}  // namespace pvebus::container
