#include "cli/container_output.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/container_interface_output.h"
#include "cli/facts.h"
#include "cli/table.h"

namespace pvebus::cli {
namespace {

using container::ContainerConfig;
using container::NetworkInterface;
using Json = nlohmann::ordered_json;

constexpr double kLargestExactInteger = 1e15;

template <typename Value>
Json OrNull(const std::optional<Value>& value) {
  return value ? Json(*value) : Json();
}

// 10 rather than 10.0.
Json RateOrNull(const std::optional<double>& rate) {
  const bool integral = rate && std::trunc(*rate) == *rate && *rate < kLargestExactInteger;
  return integral ? Json(static_cast<int64_t>(*rate)) : OrNull(rate);
}

std::string NetName(unsigned index) { return absl::StrFormat("net%d", index); }

Json ToDocument(unsigned index, const NetworkInterface& interface) {
  return {{"name", NetName(index)},
          {"vnet", OrNull(interface.vnet)},
          {"bridge", OrNull(interface.bridge)},
          {"hwaddr", OrNull(interface.hwaddr)},
          {"ip", OrNull(interface.ip)},
          {"ip6", OrNull(interface.ip6)},
          {"gw", OrNull(interface.gw)},
          {"gw6", OrNull(interface.gw6)},
          {"tag", OrNull(interface.tag)},
          {"trunks", OrNull(interface.trunks)},
          {"firewall", OrNull(interface.firewall)},
          {"link_down", OrNull(interface.link_down)},
          {"mtu", OrNull(interface.mtu)},
          {"rate", RateOrNull(interface.rate)},
          {"options", {{"name", interface.inside_name}, {"type", interface.type}}}};
}

Json InterfacesOf(const ContainerConfig& config) {
  Json interfaces = Json::object();
  for (const auto& [index, interface] : config.interfaces) interfaces[NetName(index)] = ToDocument(index, interface);
  return interfaces;
}

Json HostNamesOf(const ContainerConfig& config) {
  Json names = Json::object();
  for (const auto& [index, devices] : config.host_devices) names[NetName(index)] = devices.veth;
  return names;
}

Json FirewallBridgesOf(const ContainerConfig& config) {
  Json bridges = Json::object();
  for (const auto& [index, devices] : config.host_devices) {
    if (!devices.firewall) continue;
    bridges[NetName(index)] = {
        {"fwbr", devices.firewall->bridge}, {"fwln", devices.firewall->bridge_port}, {"fwpr", devices.firewall->uplink}};
  }
  return bridges;
}

Json ExtraOf(const ContainerConfig& config) {
  Json raw_lxc = Json::array();
  for (const container::RawLxcLine& line : config.raw_lxc) raw_lxc.push_back({{"key", line.key}, {"value", line.value}});
  return {{"description", OrNull(config.description)},
          {"hookscript", OrNull(config.hookscript)},
          {"lock", OrNull(config.lock)},
          {"parent", OrNull(config.parent)},
          {"host_ifnames", HostNamesOf(config)},
          {"firewall_bridges", FirewallBridgesOf(config)},
          {"raw_lxc", std::move(raw_lxc)},
          {"pending", Json(config.pending)},
          {"snapshots", Json(config.snapshots)}};
}

Json ToDocument(const container::ContainerFinding& finding) {
  return {{"line", finding.line}, {"key", finding.key}, {"message", finding.message}};
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
  Json warnings = Json::array();
  for (const container::ContainerFinding& finding : config.findings) warnings.push_back(ToDocument(finding));
  const Json document = {{"container_id", OrNull(config.container_id)},
                         {"interfaces", InterfacesOf(config)},
                         {"hostname", OrNull(config.hostname)},
                         {"nameservers", Json(config.nameservers)},
                         {"search_domains", Json(config.search_domains)},
                         {"options", Json(config.options)},
                         {"extra", ExtraOf(config)},
                         {"warnings", std::move(warnings)}};
  return document.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void PrintContainer(const ContainerConfig& config, std::ostream& out) {
  PrintFacts(config, out);
  std::vector<InterfaceRow> rows;
  for (const auto& [index, interface] : config.interfaces) {
    const auto devices = config.host_devices.find(index);
    rows.push_back({NetName(index), devices == config.host_devices.end() ? "" : devices->second.veth, interface});
  }
  PrintInterfaces(rows, out);
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
