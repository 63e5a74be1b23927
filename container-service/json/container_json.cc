#include "container-service/json/container_json.h"

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"

namespace pvebus::container {
namespace {

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
  for (const RawLxcLine& line : config.raw_lxc) raw_lxc.push_back({{"key", line.key}, {"value", line.value}});
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

Json ToDocument(const ContainerFinding& finding) {
  return {{"line", finding.line}, {"key", finding.key}, {"message", finding.message}};
}

}  // namespace

nlohmann::ordered_json ToDocument(const ContainerConfig& config) {
  Json warnings = Json::array();
  for (const ContainerFinding& finding : config.findings) warnings.push_back(ToDocument(finding));
  return {{"container_id", OrNull(config.container_id)},
          {"interfaces", InterfacesOf(config)},
          {"hostname", OrNull(config.hostname)},
          {"nameservers", Json(config.nameservers)},
          {"search_domains", Json(config.search_domains)},
          {"options", Json(config.options)},
          {"extra", ExtraOf(config)},
          {"warnings", std::move(warnings)}};
}

}  // namespace pvebus::container
