#include "container-service/core/link_check.h"

#include <utility>

#include "absl/strings/str_format.h"

namespace pvebus::container {
namespace {

bool IsOpenVSwitch(const Link& link) { return link.kind == "openvswitch"; }

// One interface.
class LinkChecker {
 public:
  LinkChecker(const NetworkSnapshot& network, std::string name, const NetworkInterface& interface, const HostDevices& devices)
      : network_(network), interface_(interface), devices_(devices) {
    checked_.interface = std::move(name);
  }

  CheckedLink Check() {
    const Link* device = Existing(devices_.veth);
    if (device == nullptr) return std::move(checked_);
    CheckState(*device);
    const Link* bridge = CheckBridges(*device);
    CheckMtu(*device, bridge);
    checked_.found = Found(*device);
    return std::move(checked_);
  }

 private:
  void Find(std::string message, bool warning = false) {
    checked_.findings.push_back({checked_.interface, std::move(message), warning});
  }

  const Link* Existing(const std::string& name) {
    const Link* link = network_.Find(name);
    if (link == nullptr) Find(absl::StrFormat("%s is missing", name));
    return link;
  }

  std::string MasterOf(const Link& link) const {
    const Link* master = network_.Find(link.master_index);
    return master == nullptr ? "" : master->name;
  }

  void CheckState(const Link& device) {
    if (device.kind != "veth") Find(absl::StrFormat("%s is a link of kind '%s', no veth", device.name, device.kind));
    const bool down = interface_.link_down.value_or(false);
    if (down && device.up) Find(absl::StrFormat("%s is up; the file has link_down=1", device.name));
    if (!down && !device.up) Find(absl::StrFormat("%s is down; the file has no link_down", device.name));
  }

  // The bridge that the file names, as the kernel has it; null when there is none, or nothing can be said.
  const Link* CheckBridges(const Link& device) {
    const std::string* attached = AttachedTo(interface_);
    if (attached == nullptr) {
      if (device.master_index != 0) Find(absl::StrFormat("%s is in %s; the file has no bridge", device.name, MasterOf(device)));
      return nullptr;
    }
    const Link* base = network_.Find(*attached);
    if (base == nullptr) {
      Find(absl::StrFormat("%s, where the file puts it, is missing", *attached));
      return nullptr;
    }
    if (!interface_.firewall.value_or(false) || !devices_.firewall) return CheckIn(device, *base);
    return CheckFirewall(device, *base);
  }

  const Link* CheckFirewall(const Link& device, const Link& base) {
    const FirewallDevices& firewall = *devices_.firewall;
    if (Existing(firewall.bridge) == nullptr) return nullptr;
    CheckMaster(device, firewall.bridge);
    // Open vSwitch has a port of its own there instead of a pair of devices.
    if (IsOpenVSwitch(base)) return nullptr;
    const Link* port = Existing(firewall.bridge_port);
    const Link* uplink = Existing(firewall.uplink);
    if (port != nullptr) {
      CheckMaster(*port, firewall.bridge);
      CheckUp(*port);
    }
    if (uplink == nullptr) return nullptr;
    CheckUp(*uplink);
    return CheckIn(*uplink, base);
  }

  const Link* CheckIn(const Link& device, const Link& base) {
    if (IsOpenVSwitch(base)) {
      const Link* master = network_.Find(device.master_index);
      if (master == nullptr || !IsOpenVSwitch(*master)) Find(absl::StrFormat("%s is not in %s", device.name, base.name));
      return nullptr;
    }
    const std::string bridge = BridgeFor(base.name, interface_.tag, base.vlan_aware);
    CheckMaster(device, bridge);
    return network_.Find(bridge);
  }

  void CheckMaster(const Link& device, const std::string& wanted) {
    const std::string master = MasterOf(device);
    if (master == wanted) return;
    Find(absl::StrFormat("%s is in %s; it belongs in %s", device.name, master.empty() ? "no bridge" : master, wanted));
  }

  void CheckUp(const Link& device) {
    if (!device.up) Find(absl::StrFormat("%s is down", device.name));
  }

  void CheckMtu(const Link& device, const Link* bridge) {
    if (interface_.mtu && device.mtu != *interface_.mtu) {
      Find(absl::StrFormat("%s has MTU %d; the file has mtu=%d", device.name, device.mtu, *interface_.mtu));
    } else if (bridge != nullptr && device.mtu > bridge->mtu) {
      Find(absl::StrFormat("%s has MTU %d, above that of %s, %d: large packets are lost", device.name, device.mtu, bridge->name,
                           bridge->mtu),
           /*warning=*/true);
    }
  }

  std::string Found(const Link& device) const {
    const std::string master = MasterOf(device);
    return absl::StrFormat("%s is %s, in %s, MTU %d", device.name, device.up ? "up" : "down",
                           master.empty() ? "no bridge" : master, device.mtu);
  }

  const NetworkSnapshot& network_;
  const NetworkInterface& interface_;
  const HostDevices& devices_;
  CheckedLink checked_;
};

}  // namespace

std::vector<CheckedLink> CheckLinks(const ContainerConfig& config, const NetworkSnapshot& network) {
  std::vector<CheckedLink> checked;
  for (const auto& [index, interface] : config.interfaces) {
    const HostDevices& devices = config.host_devices.at(index);
    // The file's findings say so: Proxmox VE cannot start such a container.
    if (!devices.TooLong().empty()) continue;
    checked.push_back(LinkChecker(network, absl::StrFormat("net%d", index), interface, devices).Check());
  }
  return checked;
}

std::string BridgeFor(const std::string& bridge, std::optional<uint16_t> tag, bool vlan_aware) {
  return tag && !vlan_aware ? absl::StrFormat("%sv%d", bridge, *tag) : bridge;
}

const std::string* AttachedTo(const NetworkInterface& interface) {
  if (interface.vnet) return &*interface.vnet;
  return interface.bridge ? &*interface.bridge : nullptr;
}

}  // namespace pvebus::container
