#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "sdk/base/network.h"

namespace pvebus::container {

// A device that the kernel has for an interface of a container, by Proxmox VE's names.
struct ContainerDevice {
  std::string name;    // "veth101i0"
  int link_index = 0;  // the kernel gives each number once per boot
  std::string bridge;  // that it is in, past the devices of the firewall; empty: none
  bool up = false;
  bool running = false;
  uint32_t mtu = 0;  // bytes

  bool operator==(const ContainerDevice&) const = default;
};

// By N of netN.
using ContainerDevices = std::map<unsigned, ContainerDevice>;

// Of "veth101i0" the container and the number of its interface; nothing for other names. Pure; any thread.
std::optional<std::pair<uint32_t, unsigned>> ParseDeviceName(std::string_view name);

// What the kernel has, by container. Pure; any thread.
std::map<uint32_t, ContainerDevices> DevicesByContainer(const NetworkSnapshot& network);

}  // namespace pvebus::container
