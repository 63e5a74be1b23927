#include "cli/container_output.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/facts.h"
#include "cli/table.h"
#include "container-service/json/container_json.h"
#include "sdk/base/utf8.h"

namespace pvebus::cli {
namespace {

using container::ContainerConfig;
using container::NetworkInterface;

// One endless cell would widen the column for every interface.
constexpr size_t kWidestCell = 80;

std::string Cell(const std::string& text) {
  if (text.size() <= kWidestCell) return text;
  return CleanUtf8(text, kWidestCell - 3) + "...";
}

std::string NetName(unsigned index) { return absl::StrFormat("net%d", index); }

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

std::vector<std::string> RowOf(const ContainerConfig& config, unsigned index, const NetworkInterface& interface) {
  const auto devices = config.host_devices.find(index);
  return {NetName(index),
          Cell(interface.inside_name),
          devices == config.host_devices.end() ? "" : devices->second.veth,
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

void PrintFacts(const ContainerConfig& config, std::ostream& out) {
  const Facts facts(out);
  const auto list = [](const std::vector<std::string>& items) { return Cell(absl::StrJoin(items, ", ")); };
  facts.Add("container", config.container_id ? std::to_string(*config.container_id) : "unknown");
  facts.Add("hostname", config.hostname.value_or(""));
  facts.Add("nameservers", list(config.nameservers));
  facts.Add("search domains", list(config.search_domains));
  facts.Add("hookscript", Cell(config.hookscript.value_or("")));
  facts.Add("lock", Cell(config.lock.value_or("")));
  facts.Add("pending", list(config.pending));
  facts.Add("snapshots", list(config.snapshots));
}

}  // namespace

std::string ToJson(const ContainerConfig& config) {
  return container::ToDocument(config).dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void PrintContainer(const ContainerConfig& config, std::ostream& out) {
  PrintFacts(config, out);
  if (config.interfaces.empty()) {
    out << "\nno interfaces\n";
    return;
  }
  Table table({"INTERFACE", "INSIDE", "ON THE HOST", "BRIDGE", "MAC", "IPV4", "IPV6", "VLAN", "MTU", "RATE", "FIREWALL", "LINK"});
  for (const auto& [index, interface] : config.interfaces) table.Add(RowOf(config, index, interface));
  out << '\n';
  table.Print(out);
}

void PrintContainerFindings(const std::string& file, const std::vector<container::ContainerFinding>& findings,
                            std::ostream& out) {
  for (const container::ContainerFinding& finding : findings) {
    const std::string place = finding.line == 0 ? file : absl::StrFormat("%s:%d", file, finding.line);
    const std::string key = finding.key.empty() ? "" : finding.key + ": ";
    out << Printable(absl::StrFormat("%s: warning: %s%s", place, key, finding.message)) << '\n';
  }
}

}  // namespace pvebus::cli
