#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "network-service/core/applied_checks.h"
#include "network-service/core/change_description.h"
#include "network-service/core/ifupdown2_rules.h"
#include "network-service/core/kernel_links.h"
#include "sdk/base/utf8.h"

namespace pvebus::network {
namespace {

constexpr size_t kLongestMessage = 400;
// Deeper nested VLANs do not exist, and a broken configuration may nest them in a circle.
constexpr int kDeepestVlan = 8;

template <typename Type>
const Type* As(const Interface& interface) {
  return std::get_if<Type>(&interface.type);
}

std::string KindInWords(std::string_view kind) {
  if (kind.empty()) return "a network card";
  if (kind == "vlan") return "a VLAN";
  if (kind == "vxlan") return "a VXLAN";
  return kind == "bridge" || kind == "bond" ? absl::StrFormat("a %s", kind) : absl::StrFormat("a link of kind '%s'", kind);
}

// One look at one kernel. One thread.
class DifferenceFinder {
 public:
  DifferenceFinder(const Interfaces& interfaces, const NetworkSnapshot& kernel) : interfaces_(interfaces), links_(kernel) {
    for (const auto& [name, interface] : interfaces_) {
      lower_.merge(LowerLinks(interface));
      if (const auto* members = MembersOf(interface)) members_.insert(members->begin(), members->end());
    }
  }

  std::vector<AppliedFinding> Find() {
    for (const auto& [name, interface] : interfaces_) {
      if (interface.enabled && IsJudged(interface)) Check(interface);
    }
    return std::move(findings_);
  }

 private:
  static bool IsJudged(const Interface& interface) {
    if (IsPattern(interface.name) || interface.method == Method::kPpp) return false;
    const Ovs* ovs = As<Ovs>(interface);
    return ovs == nullptr || ovs->type == "OVSBridge" || ovs->type == "OVSIntPort";
  }

  void Check(const Interface& interface) {
    const Link* link = links_.Find(LinkNameOf(interface));
    if (link == nullptr) {
      const bool is_other = As<Physical>(interface) && !IsNetworkCard(interface);
      AppliedFinding& finding =
          Report(interface, absl::StrFormat("there is no such %s", is_other ? "link" : TypeName(interface)));
      finding.missing_card = MissingCard(interface.name);
      // Only a bond-slaves makes a bond, and `bond-slaves none` looks like there being none.
      const Bond* bond = As<Bond>(interface);
      finding.known_limit = bond != nullptr && bond->slaves.empty();
      return;
    }
    const std::string_view kind = KindOf(interface);
    if (!kind.empty() && link->kind != kind) {
      Report(interface, absl::StrFormat("it is %s, not %s", KindInWords(link->kind), KindInWords(kind)));
      return;
    }
    CheckUp(interface, *link);
    CheckMembers(interface, *link);
    if (const Bridge* bridge = As<Bridge>(interface)) CheckVlanAware(interface, *bridge, *link);
    if (const Vlan* vlan = As<Vlan>(interface)) CheckVlan(interface, *vlan, *link);
    CheckAddresses(interface, *link);
    CheckMtu(interface, *link);
  }

  // To be completed before the next one.
  AppliedFinding& Report(const Interface& interface, const std::string& message) {
    return findings_.emplace_back(AppliedFinding{
        .interface = interface.name, .message = CleanUtf8(absl::StrFormat("%s: %s", interface.name, message), kLongestMessage)});
  }

  const Interface* Configured(const std::string& name) const {
    const auto it = interfaces_.find(name);
    return it == interfaces_.end() ? nullptr : &it->second;
  }

  // The card that `name` is or is a VLAN of, and which is not there. What is not configured, nobody makes either.
  std::string MissingCard(std::string name) const {
    for (int depth = 0; depth < kDeepestVlan && links_.Find(name) == nullptr; ++depth) {
      const Interface* interface = Configured(name);
      const auto vlan = interface == nullptr ? VlanOfName(name) : std::nullopt;
      const Vlan* configured_vlan = interface == nullptr ? nullptr : As<Vlan>(*interface);
      if (!vlan && configured_vlan == nullptr) return interface == nullptr || IsNetworkCard(*interface) ? name : "";
      name = vlan ? vlan->parent : configured_vlan->parent;
    }
    return "";
  }

  // The kernel does not let a VLAN be up above a parent that is down.
  bool MayBeDown(const Interface& interface) const {
    if (StaysDown(interface)) return true;
    const Vlan* vlan = As<Vlan>(interface);
    const Interface* parent = vlan == nullptr ? nullptr : Configured(vlan->parent);
    return parent != nullptr && StaysDown(*parent);
  }

  // A slave that is taken out of its bond goes down, and ifupdown2 does not notice; it ignores when a card does not come up.
  bool IsUnusedCard(const Interface& interface) const {
    const bool has_address = !interface.addresses.empty() || interface.method == Method::kDhcp ||
                             interface.method6 == Method::kDhcp || interface.method6 == Method::kAuto;
    return IsNetworkCard(interface) && !has_address && !lower_.contains(interface.name);
  }

  void CheckUp(const Interface& interface, const Link& link) {
    if (link.up || MayBeDown(interface)) return;
    Report(interface, "it is down, and should be up").known_limit = IsUnusedCard(interface);
  }

  void CheckMembers(const Interface& interface, const Link& link) {
    const auto* members = MembersOf(interface);
    if (members == nullptr) return;
    const char* role = As<Bond>(interface) ? "slave" : "port";
    for (const std::string& name : *members) {
      if (!IsPattern(name)) CheckMember(interface, link, name, role);
    }
  }

  void CheckMember(const Interface& interface, const Link& link, const std::string& name, const char* role) {
    const Link* member = links_.Find(name);
    if (member == nullptr) {
      Report(interface, absl::StrFormat("there is no link %s, which should be a %s of it", name, role)).missing_card =
          MissingCard(name);
      return;
    }
    const Link* master = links_.MasterOf(*member);
    if (master == &link) return;
    Report(interface, master == nullptr ? absl::StrFormat("%s is not a %s of it", name, role)
                                        : absl::StrFormat("%s belongs to %s and is not a %s of it", name, master->name, role));
  }

  void CheckVlanAware(const Interface& interface, const Bridge& bridge, const Link& link) {
    if (bridge.vlan_aware == link.vlan_aware) return;
    Report(interface, link.vlan_aware ? "it is VLAN-aware, and should not be" : "it is not VLAN-aware, and should be");
  }

  void CheckVlan(const Interface& interface, const Vlan& vlan, const Link& link) {
    const Link* parent = links_.Find(link.lower_index);
    const Link* wanted = links_.Find(vlan.parent);
    if (wanted == nullptr || parent != wanted) {
      // A card may be there under another of its names.
      Report(interface, parent == nullptr ? absl::StrFormat("it has no parent; it should be %s", vlan.parent)
                                          : absl::StrFormat("its parent is %s, not %s", parent->name, vlan.parent))
          .known_limit = !MissingCard(vlan.parent).empty();
    }
    if (link.tag != vlan.tag) Report(interface, absl::StrFormat("its tag is %d, not %d", link.tag, vlan.tag));
  }

  bool IsMember(const Interface& interface, const Link& link) const {
    const Link* master = links_.MasterOf(link);
    return members_.contains(LinkNameOf(interface)) ||
           (master != nullptr && (master->kind == "bridge" || master->kind == "bond"));
  }

  void CheckAddresses(const Interface& interface, const Link& link) {
    if (IsMember(interface, link)) return;
    const bool has_peer = !OptionOf(interface, "pointopoint").empty();
    const std::set<IpPrefix> present(link.addresses.begin(), link.addresses.end());
    std::set<IpPrefix> seen;
    for (const IpPrefix& wanted : interface.addresses) {
      if (!GetsAddress(interface, wanted) || present.contains(wanted) || !seen.insert(wanted).second) continue;
      // The kernel forgets the IPv6 addresses of what goes down.
      if (wanted.address.v6 && MayBeDown(interface)) continue;
      const auto other = present.lower_bound({wanted.address, 0});
      if (other == present.end() || other->address != wanted.address) {
        Report(interface, absl::StrFormat("it does not have the address %s", wanted.ToString()));
      } else if (!has_peer) {
        // The length of an address with a peer is that of the peer.
        Report(interface, absl::StrFormat("its address is %s, not %s", other->ToString(), wanted.ToString()));
      }
    }
  }

  void CheckMtu(const Interface& interface, const Link& link) {
    if (!interface.mtu || *interface.mtu == link.mtu || As<Ovs>(interface) || LinkNameOf(interface) != interface.name) return;
    const Link* master = links_.MasterOf(link);
    if (master != nullptr && master->kind == "bond") return;
    const Link* parent = As<Vlan>(interface) ? links_.Find(link.lower_index) : nullptr;
    if (parent != nullptr && *interface.mtu > parent->mtu) {
      Report(interface,
             absl::StrFormat("its mtu is %d, not %d: that of %s is %d", link.mtu, *interface.mtu, parent->name, parent->mtu))
          .known_limit = true;
    } else {
      Report(interface, absl::StrFormat("its mtu is %d, not %d", link.mtu, *interface.mtu));
    }
  }

  const Interfaces& interfaces_;
  const KernelLinks links_;
  std::set<std::string> lower_;         // ports, slaves and parents
  std::set<std::string_view> members_;  // ports and slaves of the configured interfaces
  std::vector<AppliedFinding> findings_;
};

}  // namespace

std::vector<AppliedFinding> FindDifferences(const Interfaces& interfaces, const NetworkSnapshot& kernel) {
  return DifferenceFinder(interfaces, kernel).Find();
}

}  // namespace pvebus::network
