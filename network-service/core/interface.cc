#include "network-service/core/interface.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/ascii.h"

namespace pvebus::network {
namespace {

// Patterns of ifupdown2 name no link.
bool IsPattern(const std::string& port) { return port.find(' ') != std::string::npos; }

struct LowerLinksOf {
  std::set<std::string> operator()(const Bridge& bridge) const {
    std::set<std::string> ports = bridge.ports;
    std::erase_if(ports, IsPattern);
    return ports;
  }
  std::set<std::string> operator()(const Bond& bond) const { return bond.slaves; }
  std::set<std::string> operator()(const Vlan& vlan) const { return {vlan.parent}; }
  std::set<std::string> operator()(const Ovs& ovs) const {
    std::set<std::string> links = ovs.ports;
    links.insert(ovs.slaves.begin(), ovs.slaves.end());
    return links;
  }
  template <typename Other>
  std::set<std::string> operator()(const Other& /*other*/) const {
    return {};
  }
};

}  // namespace

std::set<std::string> LowerLinks(const Interface& interface) { return std::visit(LowerLinksOf(), interface.type); }

std::string MethodName(Method method) {
  switch (method) {
    case Method::kNone:
      return "";
    case Method::kStatic:
      return "static";
    case Method::kDhcp:
      return "dhcp";
    case Method::kManual:
      return "manual";
    case Method::kAuto:
      return "auto";
    case Method::kLoopback:
      return "loopback";
    case Method::kPpp:
      return "ppp";
    case Method::kTunnel:
      return "tunnel";
  }
  return "";
}

std::optional<Vlan> VlanOfName(std::string_view name) {
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == name.size()) return std::nullopt;
  const std::string_view digits = name.substr(dot + 1);
  if (!std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return absl::ascii_isdigit(c); })) return std::nullopt;
  Vlan vlan{.parent = std::string(name.substr(0, dot))};
  if (std::from_chars(digits.data(), digits.data() + digits.size(), vlan.tag).ec != std::errc()) vlan.tag = 0;
  return vlan;
}

}  // namespace pvebus::network
