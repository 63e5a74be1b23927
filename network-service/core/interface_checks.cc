#include "network-service/core/interface_checks.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "network-service/core/dependency_cycles.h"

namespace pvebus::network {
namespace {

constexpr uint32_t kHighestTag = 4094;
constexpr uint32_t kHighestVxlanId = (1 << 24) - 1;
constexpr uint32_t kUsualMtu = 1500;

template <typename Type>
const Type* As(const Interface& interface) {
  return std::get_if<Type>(&interface.type);
}

// Takes its lower links for itself, so that nobody else can have them.
bool IsMaster(const Interface& interface) { return As<Bridge>(interface) || As<Bond>(interface) || As<Ovs>(interface); }

const char* RoleOfLower(const Interface& interface) {
  if (As<Vlan>(interface)) return "parent";
  const Ovs* ovs = As<Ovs>(interface);
  return As<Bond>(interface) || (ovs != nullptr && !ovs->slaves.empty()) ? "slave" : "port";
}

bool IsNumbered(const std::string& name, std::string_view prefix) {
  return name.size() > prefix.size() && name.starts_with(prefix) &&
         std::all_of(name.begin() + static_cast<std::ptrdiff_t>(prefix.size()), name.end(),
                     [](unsigned char c) { return absl::ascii_isdigit(c); });
}

// No network card has such a name.
bool IsMadeByConfiguration(const std::string& name) { return IsNumbered(name, "bond") || IsNumbered(name, "vmbr"); }

std::string OptionOf(const Interface& interface, const std::string& name) {
  const auto values = interface.options.find(name);
  return values == interface.options.end() ? "" : values->second.back();
}

// One thread.
class Checker {
 public:
  Checker(const NetworkConfiguration& configuration, Diagnostics& diagnostics)
      : configuration_(configuration), diagnostics_(diagnostics) {
    for (const auto& [name, interface] : configuration_.interfaces) {
      if (!IsMaster(interface)) continue;
      for (const std::string& lower : LowerLinks(interface)) masters_[lower].push_back(&interface);
    }
  }

  void Check() {
    for (const auto& [name, interface] : configuration_.interfaces) {
      CheckNumbers(interface);
      CheckLowerLinks(interface);
      CheckMtu(interface);
      CheckAsPort(interface);
      CheckGateway(interface, false);
      CheckGateway(interface, true);
    }
    for (const auto& [lower, masters] : masters_) CheckMasters(lower, masters);
    for (const auto& cycle : DependencyCycles(configuration_.interfaces)) {
      diagnostics_.Error(
          PlaceOf(cycle.front()),
          absl::StrFormat("the interfaces need each other in a circle: %s -> %s",
                          absl::StrJoin(cycle.begin(), cycle.begin() + std::min<std::ptrdiff_t>(20, std::ssize(cycle)), " -> "),
                          cycle.front()));
    }
  }

 private:
  Place PlaceOf(const std::string& name) const {
    const auto place = configuration_.places.find(name);
    return place == configuration_.places.end() ? Place() : place->second;
  }

  const Interface* Find(const std::string& name) const {
    const auto it = configuration_.interfaces.find(name);
    return it == configuration_.interfaces.end() ? nullptr : &it->second;
  }

  void AddConflict(const Interface& one, const Interface& other, std::string message) {
    const Severity severity = one.enabled && other.enabled ? Severity::kError : Severity::kWarning;
    diagnostics_.Add(severity, PlaceOf(one.name), std::move(message));
  }

  void CheckNumbers(const Interface& interface) {
    if (const Vlan* vlan = As<Vlan>(interface)) {
      if (vlan->tag == 0 || vlan->tag > kHighestTag) {
        diagnostics_.Error(PlaceOf(interface.name), absl::StrFormat("%s has no VLAN tag from 1 to %d; it follows from the name "
                                                                    "(PARENT.TAG, vlanTAG) or from vlan-id",
                                                                    Quoted(interface.name), kHighestTag));
      } else {
        CheckSameVlan(interface, *vlan);
      }
    }
    const Vxlan* vxlan = As<Vxlan>(interface);
    if (vxlan != nullptr && (vxlan->id == 0 || vxlan->id > kHighestVxlanId)) {
      diagnostics_.Error(PlaceOf(interface.name),
                         absl::StrFormat("%s: vxlan-id is a number from 1 to %d", Quoted(interface.name), kHighestVxlanId));
    }
  }

  void CheckSameVlan(const Interface& interface, const Vlan& vlan) {
    const auto [known, is_new] = vlans_.try_emplace({vlan.parent, vlan.tag, OptionOf(interface, "vlan-protocol")}, &interface);
    if (is_new) return;
    AddConflict(interface, *known->second,
                absl::StrFormat("%s is VLAN %d of %s, which %s is already", Quoted(interface.name), vlan.tag, Quoted(vlan.parent),
                                Quoted(known->second->name)));
  }

  void CheckLowerLinks(const Interface& interface) {
    const Bond* bond = As<Bond>(interface);
    if (bond != nullptr && bond->slaves.empty()) {
      diagnostics_.Warn(PlaceOf(interface.name),
                        absl::StrFormat("bond %s has no slaves; name them with bond-slaves", Quoted(interface.name)));
    }
    for (const std::string& lower : LowerLinks(interface)) {
      if (Find(lower) == nullptr) CheckUndefined(interface, lower, lower);
    }
  }

  // `needed`: what must be there for `lower`, itself or its parent: ifupdown2 makes a VLAN whose name says what it is.
  void CheckUndefined(const Interface& interface, const std::string& lower, const std::string& needed) {
    const auto vlan = VlanOfName(needed);
    if (vlan) {
      if (Find(vlan->parent) == nullptr) CheckUndefined(interface, lower, vlan->parent);
      return;
    }
    const std::string what = absl::StrFormat("%s %s of %s", RoleOfLower(interface), Quoted(lower), Quoted(interface.name));
    if (IsMadeByConfiguration(needed)) {
      diagnostics_.Error(PlaceOf(interface.name), absl::StrFormat("%s: there is no iface stanza for %s", what, Quoted(needed)));
    } else {
      diagnostics_.Warn(PlaceOf(interface.name),
                        absl::StrFormat("%s: there is no iface stanza for %s, so it has to be a network card of the node; "
                                        "Proxmox VE writes 'iface NAME inet manual'",
                                        what, Quoted(needed)));
    }
  }

  void CheckMasters(const std::string& lower, const std::vector<const Interface*>& masters) {
    for (size_t i = 1; i < masters.size(); ++i) {
      AddConflict(*masters[i], *masters[0],
                  absl::StrFormat("%s is a %s of %s and cannot be a %s of %s, too", Quoted(lower), RoleOfLower(*masters[0]),
                                  Quoted(masters[0]->name), RoleOfLower(*masters[i]), Quoted(masters[i]->name)));
    }
  }

  void CheckAsPort(const Interface& interface) {
    const auto masters = masters_.find(interface.name);
    // The addresses of OVSIntPorts are what they are for.
    if (masters == masters_.end() || As<Ovs>(interface)) return;
    const bool dhcp = interface.method == Method::kDhcp || interface.method6 == Method::kDhcp;
    if (interface.addresses.empty() && !dhcp) return;
    const Interface& master = *masters->second.front();
    diagnostics_.Warn(PlaceOf(interface.name),
                      absl::StrFormat("%s has %s, but is a %s of %s; it belongs to %s", Quoted(interface.name),
                                      dhcp ? "DHCP" : "the address " + interface.addresses.front().ToString(),
                                      RoleOfLower(master), Quoted(master.name), Quoted(master.name)));
  }

  void CheckMtu(const Interface& interface) {
    if (!interface.mtu) return;
    for (const std::string& name : LowerLinks(interface)) {
      const Interface* lower = Find(name);
      if (lower == nullptr) continue;
      // What says nothing has what its own lower links allow, which is not known here, unless it is a network card.
      if (!lower->mtu && !As<Physical>(*lower)) continue;
      // Slaves get the MTU of their bond.
      if (!lower->mtu && As<Bond>(interface)) continue;
      const uint32_t available = lower->mtu.value_or(kUsualMtu);
      if (*interface.mtu <= available) continue;
      const Severity severity = lower->mtu && As<Vlan>(interface) ? Severity::kError : Severity::kWarning;
      diagnostics_.Add(
          severity, PlaceOf(interface.name),
          absl::StrFormat("the mtu %d of %s is above the %d of its %s %s%s", *interface.mtu, Quoted(interface.name), available,
                          RoleOfLower(interface), Quoted(name), lower->mtu ? "" : ", which says none and so has the usual one"));
    }
  }

  void CheckGateway(const Interface& interface, bool v6) {
    const auto& gateway = v6 ? interface.gateway6 : interface.gateway;
    if (!gateway) return;
    const auto [known, is_new] =
        gateways_.try_emplace({v6, OptionOf(interface, "vrf"), OptionOf(interface, "metric")}, &interface);
    if (is_new) return;
    AddConflict(interface, *known->second,
                absl::StrFormat(
                    "%s is a second default gateway (%s of %s); %s has one already: remove one, or give them different metrics",
                    gateway->ToString(), v6 ? "IPv6" : "IPv4", Quoted(interface.name), Quoted(known->second->name)));
  }

  const NetworkConfiguration& configuration_;
  Diagnostics& diagnostics_;
  std::map<std::string, std::vector<const Interface*>> masters_;  // by lower link
  std::map<std::tuple<std::string, uint32_t, std::string>, const Interface*> vlans_;
  std::map<std::tuple<bool, std::string, std::string>, const Interface*> gateways_;
};

}  // namespace

void CheckInterfaces(const NetworkConfiguration& configuration, Diagnostics& diagnostics) {
  Checker(configuration, diagnostics).Check();
}

}  // namespace pvebus::network
