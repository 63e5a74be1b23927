#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace pvebus::container {

// One interface of a container, as its netN says. Addresses are in their one form (sdk/base/ip_address.h). A value.
struct NetworkInterface {
  std::string inside_name;  // its name inside the container
  std::string type = "veth";
  // What it is attached to: at most one of them. Which one it is the running SDN configuration decides, so
  // ParseNetworkInterface leaves `vnet` empty.
  std::optional<std::string> bridge;
  std::optional<std::string> vnet;
  std::optional<std::string> hwaddr;  // as written
  std::optional<std::string> ip;      // ADDRESS/LENGTH, dhcp or manual
  std::optional<std::string> gw;
  std::optional<std::string> ip6;  // ADDRESS/LENGTH, auto, dhcp or manual
  std::optional<std::string> gw6;
  std::optional<uint16_t> tag;
  std::optional<std::vector<uint16_t>> trunks;
  std::optional<bool> firewall;
  std::optional<bool> link_down;
  std::optional<uint32_t> mtu;
  std::optional<double> rate;  // MB/s

  bool operator==(const NetworkInterface&) const = default;
};

// From the value of netN. INVALID_ARGUMENT, for eyes, when Proxmox VE does not take it. Pure; any thread.
absl::StatusOr<NetworkInterface> ParseNetworkInterface(std::string_view value);

}  // namespace pvebus::container
