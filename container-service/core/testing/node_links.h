#pragma once

#include <string>

#include "sdk/base/network.h"

namespace pvebus::container {

// A node's links for tests, as Proxmox VE would make them. Numbers are given in the order of the calls, from 10.
class NodeLinks {
 public:
  NodeLinks& Bridge(const std::string& name, bool vlan_aware = false, uint32_t mtu = 1500) {
    Link& link = Add(name, "bridge");
    link.vlan_aware = vlan_aware;
    link.mtu = mtu;
    return *this;
  }
  NodeLinks& Veth(const std::string& name, const std::string& bridge) {
    Add(name, "veth").master_index = IndexOf(bridge);
    return *this;
  }
  // veth<id>i<n> in fwbr<id>i<n>, and from there into the bridge.
  NodeLinks& FirewalledVeth(const std::string& id, const std::string& n, const std::string& bridge) {
    Bridge("fwbr" + id + "i" + n);
    Veth("fwpr" + id + "p" + n, bridge);
    Veth("fwln" + id + "i" + n, "fwbr" + id + "i" + n);
    return Veth("veth" + id + "i" + n, "fwbr" + id + "i" + n);
  }
  Link& Add(const std::string& name, const std::string& kind) {
    network.links.push_back({.index = next_++, .name = name, .kind = kind, .mtu = 1500, .up = true, .running = true});
    return network.links.back();
  }
  Link& Of(const std::string& name) {
    for (Link& link : network.links) {
      if (link.name == name) return link;
    }
    return Add(name, "");
  }
  void Remove(const std::string& name) {
    std::erase_if(network.links, [&](const Link& link) { return link.name == name; });
  }
  int IndexOf(const std::string& name) const {
    const Link* link = network.Find(name);
    return link == nullptr ? 0 : link->index;
  }

  NetworkSnapshot network;

 private:
  int next_ = 10;
};

}  // namespace pvebus::container
