#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_format.h"
#include "network-service/core/applied_checks.h"
#include "network-service/core/ifupdown2_rules.h"
#include "network-service/core/kernel_links.h"
#include "sdk/base/utf8.h"

namespace pvebus::network {
namespace {

constexpr size_t kLongestMessage = 400;

bool IsOfLoopback(const IpAddress& address) {
  static const IpPrefix v4 = *ParseIpPrefix("127.0.0.0/8");
  static const IpPrefix v6 = *ParseIpPrefix("::1/128");
  return (address.v6 ? v6 : v4).Contains(address);
}

// One look at one kernel. One thread.
class RemainsFinder {
 public:
  RemainsFinder(const Interfaces& after, const NetworkSnapshot& kernel) : after_(after), links_(kernel) {
    for (const auto& [name, interface] : after_) {
      by_link_[LinkNameOf(interface)].push_back(&interface);
      for (const std::string& lower : LowerLinks(interface)) Need(lower);
      for (const char* option : {"vxlan-physdev", "tunnel-physdev", "xfrm-physdev", "vrf", "veth-peer-name"}) {
        Need(OptionOf(interface, option));
      }
    }
  }

  std::vector<AppliedFinding> Find(const std::vector<ConfigChange>& changes) {
    for (const ConfigChange& change : changes) {
      if (!change.old_config || !change.old_config->enabled) continue;
      if (!change.new_config) {
        CheckDeleted(*change.old_config);
      } else if (change.new_config->enabled) {
        CheckUpdated(*change.old_config, *change.new_config);
      }
    }
    return std::move(findings_);
  }

 private:
  // ifupdown2 makes a VLAN whose name says what it is, and leaves it there, without a stanza of its own.
  void Need(std::string name) {
    while (!name.empty() && needed_.insert(name).second) {
      const auto vlan = VlanOfName(name);
      name = vlan ? vlan->parent : "";
    }
  }

  void Report(const Interface& interface, const std::string& message, bool known_limit) {
    findings_.push_back({.interface = interface.name,
                         .message = CleanUtf8(absl::StrFormat("%s: %s", interface.name, message), kLongestMessage),
                         .known_limit = known_limit});
  }

  void CheckDeleted(const Interface& old) {
    const Link* link = links_.Find(LinkNameOf(old));
    if (link == nullptr) return;
    if (KindOf(old).empty()) return CheckAddresses(old, *link);
    if (link->kind != KindOf(old) || needed_.contains(old.name) || IsInPatterns(*link)) return;
    const auto& members = links_.MembersOf(*link);
    const auto guest = std::find_if(members.begin(), members.end(), [](const Link* member) { return IsOfGuest(member->name); });
    if (guest == members.end()) {
      Report(old, "it is still there, and should be gone", /*known_limit=*/false);
    } else {
      Report(old, absl::StrFormat("it is still there, and should be gone: %s of a guest is a port of it", (*guest)->name),
             /*known_limit=*/true);
    }
  }

  // Whether a bridge or bond that has it takes what matches a pattern.
  bool IsInPatterns(const Link& link) const {
    const Link* master = links_.MasterOf(link);
    const auto configured = master == nullptr ? after_.end() : after_.find(master->name);
    return configured != after_.end() && HasPatterns(configured->second);
  }

  void CheckUpdated(const Interface& old, const Interface& now) {
    const Link* link = links_.Find(LinkNameOf(now));
    if (link == nullptr) return;
    if (old.type.index() == now.type.index() && link->kind == KindOf(now)) CheckMembers(old, now, *link);
    CheckAddresses(old, *link);
  }

  void CheckMembers(const Interface& old, const Interface& now, const Link& link) {
    const auto* old_members = MembersOf(old);
    const auto* members = MembersOf(now);
    if (old_members == nullptr || members == nullptr || HasPatterns(now) || now.options.contains("bridge-ports-condone-regex")) {
      return;
    }
    const char* role = std::holds_alternative<Bond>(now.type) ? "slave" : "port";
    for (const std::string& name : *old_members) {
      const Link* member = members->contains(name) ? nullptr : links_.Find(name);
      if (member == nullptr || links_.MasterOf(*member) != &link) continue;
      Report(now, absl::StrFormat("%s is still a %s of it, and should not be", name, role), IsOfGuest(name));
    }
  }

  void CheckAddresses(const Interface& old, const Link& link) {
    const auto stanzas = by_link_.find(link.name);
    std::set<IpPrefix> wanted;
    bool several_stanzas = HasTwoFamilies(old);
    if (stanzas != by_link_.end()) {
      several_stanzas = several_stanzas || stanzas->second.size() > 1;
      for (const Interface* interface : stanzas->second) {
        wanted.insert(interface->addresses.begin(), interface->addresses.end());
        several_stanzas = several_stanzas || HasTwoFamilies(*interface);
      }
    }
    for (const IpPrefix& address : std::set<IpPrefix>(old.addresses.begin(), old.addresses.end())) {
      if (wanted.contains(address) || !GetsAddress(old, address) || IsOfLoopback(address.address)) continue;
      if (stanzas != by_link_.end() && MayKeep(stanzas->second, address)) continue;
      if (std::find(link.addresses.begin(), link.addresses.end(), address) == link.addresses.end()) continue;
      Report(old, absl::StrFormat("it still has the address %s, and should not", address.ToString()), several_stanzas);
    }
  }

  static bool HasTwoFamilies(const Interface& interface) {
    return interface.method != Method::kNone && interface.method6 != Method::kNone;
  }

  // A server or router may give it again; or ifupdown2 is told to take nothing away.
  static bool MayKeep(const std::vector<const Interface*>& interfaces, const IpPrefix& address) {
    return std::any_of(interfaces.begin(), interfaces.end(), [&](const Interface* interface) {
      const bool v6 = address.address.v6;
      return IsLeased(*interface, v6) || (v6 && interface->method6 == Method::kAuto) ||
             OptionOf(*interface, "address-purge") == "no";
    });
  }

  const Interfaces& after_;
  const KernelLinks links_;
  std::set<std::string> needed_;  // links below what is configured
  std::map<std::string, std::vector<const Interface*>> by_link_;
  std::vector<AppliedFinding> findings_;
};

}  // namespace

std::vector<AppliedFinding> FindRemains(const std::vector<ConfigChange>& changes, const Interfaces& after,
                                        const NetworkSnapshot& kernel) {
  return RemainsFinder(after, kernel).Find(changes);
}

}  // namespace pvebus::network
