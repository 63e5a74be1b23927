#include "network-service/core/ifupdown2_rules.h"

#include <algorithm>
#include <array>

#include "network-service/core/option_values.h"

namespace pvebus::network {
namespace {

// Each of them has ifupdown2 make a link that is no bridge, bond, VLAN or VXLAN.
constexpr std::array kMakingOptions = {"link-type", "vrf-table", "tunnel-mode", "xfrm-id"};

bool IsLinkLocal(const IpAddress& address) { return address.v6 && address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0x80; }

bool IsUnspecified(const IpAddress& address) {
  return std::all_of(address.bytes.begin(), address.bytes.end(), [](uint8_t byte) { return byte == 0; });
}

// Of the stanza that an address of this family is most likely in: `iface x inet static` may have IPv6 addresses, too.
Method MethodOf(const Interface& interface, bool v6) {
  const Method own = v6 ? interface.method6 : interface.method;
  return own != Method::kNone ? own : (v6 ? interface.method : interface.method6);
}

struct KindOfType {
  std::string_view operator()(const Bridge& /*bridge*/) const { return "bridge"; }
  std::string_view operator()(const Bond& /*bond*/) const { return "bond"; }
  std::string_view operator()(const Vlan& /*vlan*/) const { return "vlan"; }
  std::string_view operator()(const Vxlan& /*vxlan*/) const { return "vxlan"; }
  template <typename Other>
  std::string_view operator()(const Other& /*other*/) const {
    return "";
  }
};

}  // namespace

std::string LinkNameOf(const Interface& interface) { return interface.name.substr(0, interface.name.find(':')); }

std::string_view KindOf(const Interface& interface) { return std::visit(KindOfType(), interface.type); }

bool IsNetworkCard(const Interface& interface) {
  if (!std::holds_alternative<Physical>(interface.type)) return false;
  if (interface.method == Method::kPpp || interface.method == Method::kTunnel || interface.method6 == Method::kTunnel)
    return false;
  return std::none_of(kMakingOptions.begin(), kMakingOptions.end(),
                      [&](const char* option) { return interface.options.contains(option); });
}

bool IsPattern(std::string_view name) { return name.find_first_of(" *?[]()|^$\\") != std::string_view::npos; }

const std::set<std::string>* MembersOf(const Interface& interface) {
  if (const Bridge* bridge = std::get_if<Bridge>(&interface.type)) return &bridge->ports;
  if (const Bond* bond = std::get_if<Bond>(&interface.type)) return &bond->slaves;
  return nullptr;
}

bool HasPatterns(const Interface& interface) {
  const auto* members = MembersOf(interface);
  return members != nullptr && std::any_of(members->begin(), members->end(), IsPattern);
}

bool StaysDown(const Interface& interface) { return ParseBool(OptionOf(interface, "link-down")).value_or(false); }

bool IsLeased(const Interface& interface, bool v6) {
  const Method method = MethodOf(interface, v6);
  return method == Method::kDhcp || method == Method::kPpp;
}

bool GetsAddress(const Interface& interface, const IpPrefix& address) {
  return !IsLeased(interface, address.address.v6) && !IsLinkLocal(address.address) && !IsUnspecified(address.address);
}

bool IsOfGuest(std::string_view link_name) {
  return link_name.starts_with("tap") || link_name.starts_with("veth") || link_name.starts_with("fwpr");
}

std::string OptionOf(const Interface& interface, const std::string& name) {
  const auto values = interface.options.find(name);
  return values == interface.options.end() || values->second.empty() ? "" : values->second.back();
}

}  // namespace pvebus::network
