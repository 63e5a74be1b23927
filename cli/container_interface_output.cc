#include "cli/container_interface_output.h"

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/table.h"

namespace pvebus::cli {
namespace {

using container::NetworkInterface;

std::string WithGateway(const std::optional<std::string>& address, const std::optional<std::string>& gateway) {
  if (!gateway) return address.value_or("");
  return absl::StrFormat("%s via %s", address.value_or("-"), *gateway);
}

std::string AttachedTo(const NetworkInterface& interface) {
  if (interface.vnet) return "vnet " + *interface.vnet;
  return interface.bridge.value_or("");
}

std::string NumberOrNothing(const std::optional<uint32_t>& number) { return number ? std::to_string(*number) : ""; }

std::string TagsOf(const NetworkInterface& interface) {
  std::string tags = interface.tag ? std::to_string(*interface.tag) : "";
  if (interface.trunks)
    absl::StrAppendFormat(&tags, "%strunk %s", tags.empty() ? "" : ", ", absl::StrJoin(*interface.trunks, ";"));
  return tags;
}

std::vector<std::string> CellsOf(const InterfaceRow& row) {
  const NetworkInterface& interface = row.interface;
  return {row.name,
          Cell(interface.inside_name),
          row.host_device,
          Cell(AttachedTo(interface)),
          interface.hwaddr.value_or(""),
          WithGateway(interface.ip, interface.gw),
          WithGateway(interface.ip6, interface.gw6),
          Cell(TagsOf(interface)),
          NumberOrNothing(interface.mtu),
          interface.rate ? absl::StrFormat("%g MB/s", *interface.rate) : "",
          interface.firewall.value_or(false) ? "yes" : "",
          interface.link_down.value_or(false) ? "down" : ""};
}

}  // namespace

void PrintInterfaces(const std::vector<InterfaceRow>& rows, std::ostream& out) {
  if (rows.empty()) {
    out << "\nno interfaces\n";
    return;
  }
  Table table({"INTERFACE", "INSIDE", "ON THE HOST", "BRIDGE", "MAC", "IPV4", "IPV6", "VLAN", "MTU", "RATE", "FIREWALL", "LINK"});
  for (const InterfaceRow& row : rows) table.Add(CellsOf(row));
  out << '\n';
  table.Print(out);
}

}  // namespace pvebus::cli
