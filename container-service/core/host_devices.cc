#include "container-service/core/host_devices.h"

#include "absl/strings/str_format.h"

namespace pvebus::container {

HostDevices HostDevicesOf(uint32_t container_id, unsigned index, bool firewall) {
  HostDevices devices{.veth = absl::StrFormat("veth%di%d", container_id, index)};
  if (firewall) {
    devices.firewall = {.bridge = absl::StrFormat("fwbr%di%d", container_id, index),
                        .bridge_port = absl::StrFormat("fwln%di%d", container_id, index),
                        .uplink = absl::StrFormat("fwpr%dp%d", container_id, index)};
  }
  return devices;
}

std::vector<std::string_view> HostDevices::TooLong() const {
  std::vector<std::string_view> names = {veth};
  if (firewall) names.insert(names.end(), {firewall->bridge, firewall->bridge_port, firewall->uplink});
  std::erase_if(names, [](std::string_view name) { return name.size() <= kLongestDeviceName; });
  return names;
}

}  // namespace pvebus::container
