#include "cli/container_network_output.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/container_interface_output.h"
#include "cli/container_output.h"
#include "cli/facts.h"
#include "cli/table.h"

namespace pvebus::cli {
namespace {

using container::v1::ContainerInterface;
using container::v1::ContainerNetwork;
using container::v1::NetworkFinding;

std::optional<std::string> UnlessEmpty(const std::string& text) { return text.empty() ? std::nullopt : std::optional(text); }

container::NetworkInterface AsInFile(const ContainerInterface& interface) {
  container::NetworkInterface as_in_file{.inside_name = interface.inside_name(),
                                         .bridge = UnlessEmpty(interface.bridge()),
                                         .vnet = UnlessEmpty(interface.vnet()),
                                         .hwaddr = UnlessEmpty(interface.hwaddr()),
                                         .ip = UnlessEmpty(interface.ip()),
                                         .gw = UnlessEmpty(interface.gateway()),
                                         .ip6 = UnlessEmpty(interface.ip6()),
                                         .gw6 = UnlessEmpty(interface.gateway6()),
                                         .firewall = interface.firewall(),
                                         .link_down = interface.link_down()};
  if (interface.has_tag()) as_in_file.tag = static_cast<uint16_t>(interface.tag());
  if (!interface.trunks().empty()) as_in_file.trunks.emplace(interface.trunks().begin(), interface.trunks().end());
  if (interface.has_mtu()) as_in_file.mtu = interface.mtu();
  if (interface.has_rate()) as_in_file.rate = interface.rate();
  return as_in_file;
}

void PrintFile(const ContainerNetwork& network, std::ostream& out) {
  std::vector<InterfaceRow> rows;
  for (const ContainerInterface& interface : network.interfaces()) {
    rows.push_back({interface.name(), interface.host_device(), AsInFile(interface)});
  }
  PrintInterfaces(rows, out);
}

// Of a container that does not run the kernel has nothing, which is in order.
void PrintKernel(const ContainerNetwork& network, std::ostream& out) {
  Table table({"INTERFACE", "DEVICE", "STATE", "CARRIER", "MTU", "BRIDGE"});
  for (const ContainerInterface& interface : network.interfaces()) {
    const container::v1::DeviceState& device = interface.device();
    if (interface.has_device()) {
      table.Add({interface.name(), interface.host_device(), device.up() ? "up" : "down", device.carrier() ? "yes" : "no",
                 std::to_string(device.mtu()), device.bridge().empty() ? "none" : device.bridge()});
    } else if (network.running()) {
      table.Add({interface.name(), interface.host_device(), "missing"});
    }
  }
  if (table.empty()) return;
  out << "\nwhat the kernel has\n";
  table.Print(out);
}

void PrintFindings(const ContainerNetwork& network, std::ostream& out) {
  if (network.file_findings().empty() && network.findings().empty()) {
    out << "\nno findings\n";
    return;
  }
  out << "\nfindings\n";
  for (const NetworkFinding& finding : network.findings()) {
    const std::string interface = finding.interface().empty() ? "" : finding.interface() + ": ";
    out << Printable(absl::StrFormat("%s%s: %s", interface, finding.warning() ? "warning" : "error", finding.message())) << '\n';
  }
  std::vector<container::ContainerFinding> of_file;
  for (const container::v1::FileFinding& finding : network.file_findings()) {
    of_file.push_back({finding.line(), finding.key(), finding.message()});
  }
  PrintContainerFindings(absl::StrFormat("%d.conf", network.container_id()), of_file, out);
}

}  // namespace

void PrintContainerNetwork(const ContainerNetwork& network, std::ostream& out) {
  const Facts facts(out);
  facts.Add("container", network.container_id());
  facts.Add("running", network.running() ? "yes" : "no");
  facts.Add("hostname", network.hostname());
  facts.Add("nameservers", absl::StrJoin(network.nameservers(), ", "));
  facts.Add("search domains", absl::StrJoin(network.search_domains(), ", "));
  PrintFile(network, out);
  PrintKernel(network, out);
  PrintFindings(network, out);
}

ExitCode ExitCodeOf(const ContainerNetwork& network) {
  const bool works = std::all_of(network.findings().begin(), network.findings().end(), std::mem_fn(&NetworkFinding::warning));
  return works ? kAllSucceeded : kListenerFailed;
}

}  // namespace pvebus::cli
