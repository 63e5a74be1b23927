#include "container-service/rpc/container_messages.h"

#include "absl/strings/str_format.h"
#include "sdk/base/utf8.h"

namespace pvebus::container {
namespace {

constexpr size_t kMostTextBytes = 4096;

// The bytes of a file may be no UTF-8.
std::string Text(const std::string& bytes) { return CleanUtf8(bytes, kMostTextBytes); }
std::string Text(const std::optional<std::string>& bytes) { return bytes ? Text(*bytes) : ""; }

void SetDevice(const ContainerDevice& device, v1::ContainerInterface& message) {
  v1::DeviceState& state = *message.mutable_device();
  state.set_up(device.up);
  state.set_carrier(device.running);
  state.set_mtu(device.mtu);
  state.set_bridge(Text(device.bridge));
}

void SetInterface(unsigned index, const NetworkInterface& interface, v1::ContainerInterface& message) {
  message.set_name(absl::StrFormat("net%d", index));
  message.set_inside_name(Text(interface.inside_name));
  message.set_bridge(Text(interface.bridge));
  message.set_vnet(Text(interface.vnet));
  message.set_hwaddr(Text(interface.hwaddr));
  message.set_ip(Text(interface.ip));
  message.set_gateway(Text(interface.gw));
  message.set_ip6(Text(interface.ip6));
  message.set_gateway6(Text(interface.gw6));
  if (interface.tag) message.set_tag(*interface.tag);
  if (interface.trunks) message.mutable_trunks()->Assign(interface.trunks->begin(), interface.trunks->end());
  message.set_firewall(interface.firewall.value_or(false));
  message.set_link_down(interface.link_down.value_or(false));
  if (interface.mtu) message.set_mtu(*interface.mtu);
  if (interface.rate) message.set_rate(*interface.rate);
}

}  // namespace

v1::ContainerNetwork MessageOf(const ContainerConfig& config, const ContainerDevices& devices, bool running,
                               const NetworkFindings& findings) {
  v1::ContainerNetwork message;
  message.set_container_id(config.container_id.value_or(0));
  message.set_running(running);
  message.set_hostname(Text(config.hostname));
  for (const auto& [index, interface] : config.interfaces) {
    v1::ContainerInterface& entry = *message.add_interfaces();
    SetInterface(index, interface, entry);
    if (const auto names = config.host_devices.find(index); names != config.host_devices.end()) {
      entry.set_host_device(names->second.veth);
      if (names->second.firewall) entry.set_firewall_bridge(names->second.firewall->bridge);
    }
    if (const auto device = devices.find(index); device != devices.end()) SetDevice(device->second, entry);
  }
  for (const std::string& nameserver : config.nameservers) message.add_nameservers(Text(nameserver));
  for (const std::string& domain : config.search_domains) message.add_search_domains(Text(domain));
  for (const ContainerFinding& finding : config.findings) {
    v1::FileFinding& entry = *message.add_file_findings();
    entry.set_line(static_cast<uint32_t>(finding.line));
    entry.set_key(finding.key);
    entry.set_message(finding.message);
  }
  for (const NetworkFinding& finding : findings) {
    v1::NetworkFinding& entry = *message.add_findings();
    entry.set_interface(finding.interface);
    entry.set_message(Text(finding.message));
    entry.set_warning(finding.warning);
  }
  return message;
}

}  // namespace pvebus::container
