#include "container-service/core/vnet_validation.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "container-service/core/link_check.h"
#include "sdk/base/nearest.h"

namespace pvebus::container {
namespace {

bool IsBridge(const Link& link) { return link.kind == "bridge" || link.kind == "openvswitch"; }

std::vector<std::string> BridgeNames(const NetworkSnapshot& network) {
  std::vector<std::string> names;
  for (const Link& link : network.links) {
    if (IsBridge(link)) names.push_back(link.name);
  }
  return names;
}

// One interface.
class InterfaceValidator {
 public:
  InterfaceValidator(const NetworkSnapshot& network, std::string name, const NetworkInterface& interface,
                     NetworkFindings& findings)
      : network_(network), name_(std::move(name)), interface_(interface), findings_(findings) {}

  void CheckNames(const HostDevices& devices) {
    for (const std::string_view device : devices.TooLong()) {
      Find(absl::StrFormat("its device %s cannot exist: the kernel takes %d bytes", device, kLongestDeviceName));
    }
  }

  void CheckVnet(const Vnet& vnet) {
    const std::string& vnet_name = *interface_.vnet;
    CheckVnetTags(vnet);
    if (interface_.mtu && vnet.zone_mtu && *interface_.mtu > *vnet.zone_mtu) {
      Find(absl::StrFormat("mtu=%d is above that of zone %s of vnet %s, %d", *interface_.mtu, vnet.zone, vnet_name,
                           *vnet.zone_mtu));
    }
    const Link* link = network_.Find(vnet_name);
    if (link == nullptr) {
      Find(absl::StrFormat(
          "vnet %s is in the running SDN configuration, but not on this node: is zone %s for this node? Apply the "
          "SDN configuration again",
          vnet_name, vnet.zone));
      return;
    }
    CheckLink(*link);
  }

  void CheckBridge() {
    const std::string& bridge = *interface_.bridge;
    const Link* link = network_.Find(bridge);
    if (link == nullptr) {
      Find(absl::StrFormat("%s is neither a bridge of this node nor a vnet of the running SDN configuration%s", bridge,
                           DidYouMean(bridge, BridgeNames(network_))));
      return;
    }
    if (!IsBridge(*link)) {
      Find(absl::StrFormat("%s is no bridge but %s", bridge,
                           link->kind.empty() ? "a network card" : "a link of kind " + link->kind));
      return;
    }
    CheckLink(*link);
    if (link->kind == "bridge" && !link->vlan_aware) CheckWithoutVlans(bridge);
  }

 private:
  void Find(std::string message, bool warning = false) { findings_.push_back({name_, std::move(message), warning}); }

  void CheckVnetTags(const Vnet& vnet) {
    if (vnet.vlan_aware) return;
    if (interface_.tag) Find(absl::StrFormat("tag=%d: vnet %s is not VLAN-aware", *interface_.tag, *interface_.vnet));
    if (interface_.trunks) Find(absl::StrFormat("trunks: vnet %s is not VLAN-aware", *interface_.vnet));
  }

  void CheckLink(const Link& link) {
    if (!link.up) Find(absl::StrFormat("%s is down", link.name), /*warning=*/true);
    if (interface_.mtu && *interface_.mtu > link.mtu) {
      Find(absl::StrFormat("mtu=%d is above that of %s, %d", *interface_.mtu, link.name, link.mtu));
    }
  }

  // Proxmox VE makes a bridge for each VLAN of it.
  void CheckWithoutVlans(const std::string& bridge) {
    if (interface_.trunks) Find(absl::StrFormat("trunks need a VLAN-aware bridge, which %s is not", bridge));
    const std::string vlan_bridge = BridgeFor(bridge, interface_.tag, /*vlan_aware=*/false);
    if (vlan_bridge.size() > kLongestDeviceName) {
      Find(absl::StrFormat("tag=%d: its bridge %s cannot exist: the kernel takes %d bytes; make %s VLAN-aware", *interface_.tag,
                           vlan_bridge, kLongestDeviceName, bridge));
    }
  }

  const NetworkSnapshot& network_;
  const std::string name_;
  const NetworkInterface& interface_;
  NetworkFindings& findings_;
};

}  // namespace

NetworkFindings ValidateNetwork(const ContainerConfig& config, const Vnets& vnets, const NetworkSnapshot& network) {
  NetworkFindings findings;
  for (const auto& [index, interface] : config.interfaces) {
    InterfaceValidator validator(network, absl::StrFormat("net%d", index), interface, findings);
    if (const auto devices = config.host_devices.find(index); devices != config.host_devices.end()) {
      validator.CheckNames(devices->second);
    }
    if (interface.vnet) {
      const auto vnet = vnets.find(*interface.vnet);
      validator.CheckVnet(vnet == vnets.end() ? Vnet() : vnet->second);
    } else if (interface.bridge) {
      validator.CheckBridge();
    }
  }
  return findings;
}

}  // namespace pvebus::container
