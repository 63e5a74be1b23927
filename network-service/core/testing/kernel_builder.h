#pragma once

#include <algorithm>
#include <cassert>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/base/ip_address.h"
#include "sdk/base/network.h"

namespace pvebus::network {

// A kernel's links, all of them up, made one by one: lower ones first. One thread.
class KernelBuilder {
 public:
  KernelBuilder& Add(const std::string& name, const std::string& kind = "") {
    snapshot_.links.push_back({.index = ++last_index_, .name = name, .kind = kind, .mtu = 1500, .up = true, .running = true});
    return *this;
  }
  KernelBuilder& AddBridge(const std::string& name, const std::vector<std::string>& ports, bool vlan_aware = false) {
    Add(name, "bridge").At(name).vlan_aware = vlan_aware;
    return Enslave(name, ports);
  }
  KernelBuilder& AddBond(const std::string& name, const std::vector<std::string>& slaves) {
    return Add(name, "bond").Enslave(name, slaves);
  }
  KernelBuilder& AddVlan(const std::string& name, const std::string& parent, uint16_t tag) {
    Link& link = Add(name, "vlan").At(name);
    link.lower_index = At(parent).index;
    link.tag = tag;
    link.dot1q = true;
    return *this;
  }
  // Without a master they belong to nobody.
  KernelBuilder& Enslave(const std::string& master, const std::vector<std::string>& members) {
    const int index = master.empty() ? 0 : At(master).index;
    for (const std::string& member : members) At(member).master_index = index;
    return *this;
  }
  KernelBuilder& Give(const std::string& name, std::string_view address) {
    At(name).addresses.push_back(*ParseIpPrefix(address));
    return *this;
  }
  KernelBuilder& Take(const std::string& name, std::string_view address) {
    std::erase(At(name).addresses, *ParseIpPrefix(address));
    return *this;
  }
  KernelBuilder& SetMtu(const std::string& name, uint32_t mtu) {
    At(name).mtu = mtu;
    return *this;
  }
  KernelBuilder& SetUp(const std::string& name, bool up) {
    At(name).up = up;
    return *this;
  }
  KernelBuilder& Remove(const std::string& name) {
    Enslave("", NamesOfMembers(At(name).index));
    std::erase_if(snapshot_.links, [&](const Link& link) { return link.name == name; });
    return *this;
  }

  // Requires: there is one.
  Link& At(const std::string& name) {
    const auto link = std::find_if(snapshot_.links.begin(), snapshot_.links.end(),
                                   [&](const Link& candidate) { return candidate.name == name; });
    assert(link != snapshot_.links.end());
    return *link;
  }

  operator const NetworkSnapshot&() const { return snapshot_; }  // NOLINT(google-explicit-constructor)

 private:
  std::vector<std::string> NamesOfMembers(int master) const {
    std::vector<std::string> names;
    for (const Link& link : snapshot_.links) {
      if (link.master_index == master) names.push_back(link.name);
    }
    return names;
  }

  NetworkSnapshot snapshot_;
  int last_index_ = 0;
};

}  // namespace pvebus::network
