#include "container-service/core/container_devices.h"

#include <charconv>

#include "container-service/core/host_devices.h"

namespace pvebus::container {
namespace {

constexpr std::string_view kPrefix = "veth";
constexpr uint32_t kLowestId = 100;
constexpr uint32_t kHighestId = 999'999'999;
constexpr unsigned kMostInterfaces = 32;

// A number as Proxmox VE writes it, without zeros before it; takes it from the text.
std::optional<uint32_t> TakeNumber(std::string_view& text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto length = static_cast<size_t>(end - text.data());
  if (error != std::errc() || length == 0 || (text.front() == '0' && length > 1)) return std::nullopt;
  text.remove_prefix(length);
  return number;
}

std::string NameOf(const Link* link) { return link == nullptr ? "" : link->name; }

// Between a device and its bridge are those of the firewall, when it is on.
std::string BridgeOf(const NetworkSnapshot& network, const Link& device, const FirewallDevices& firewall) {
  const Link* master = network.Find(device.master_index);
  if (master == nullptr || master->name != firewall.bridge) return NameOf(master);
  const Link* uplink = network.Find(firewall.uplink);
  return uplink == nullptr ? "" : NameOf(network.Find(uplink->master_index));
}

}  // namespace

std::optional<std::pair<uint32_t, unsigned>> ParseDeviceName(std::string_view name) {
  if (name.substr(0, kPrefix.size()) != kPrefix) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  const auto container_id = TakeNumber(name);
  if (!container_id || *container_id < kLowestId || *container_id > kHighestId) return std::nullopt;
  if (name.empty() || name.front() != 'i') return std::nullopt;
  name.remove_prefix(1);
  const auto index = TakeNumber(name);
  if (!index || *index >= kMostInterfaces || !name.empty()) return std::nullopt;
  return std::pair(*container_id, *index);
}

std::map<uint32_t, ContainerDevices> DevicesByContainer(const NetworkSnapshot& network) {
  std::map<uint32_t, ContainerDevices> containers;
  for (const Link& link : network.links) {
    const auto whose = link.kind == "veth" ? ParseDeviceName(link.name) : std::nullopt;
    if (!whose) continue;
    const auto [container_id, index] = *whose;
    const FirewallDevices firewall = *HostDevicesOf(container_id, index, /*firewall=*/true).firewall;
    containers[container_id][index] = {link.name, link.index, BridgeOf(network, link, firewall), link.up, link.running, link.mtu};
  }
  return containers;
}

}  // namespace pvebus::container
