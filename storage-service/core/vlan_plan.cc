#include "storage-service/core/vlan_plan.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "storage-service/core/vlan_errors.h"

namespace pvebus::storage {
namespace {

template <typename T>
bool Contains(const std::vector<T>& items, const T& item) {
  return std::find(items.begin(), items.end(), item) != items.end();
}

std::string NameOf(const NetworkSnapshot& network, int index) {
  const Link* link = network.Find(index);
  return link == nullptr ? "an interface elsewhere" : link->name;
}

bool IsVlanOn(const Link& link, int base_index, uint16_t tag) {
  return link.kind == "vlan" && link.dot1q && link.tag == tag && link.lower_index == base_index;
}

std::string LinkText(const NetworkSnapshot& network, const Link& link) {
  if (link.kind.empty()) return "a network card";
  if (link.kind != "vlan") return absl::StrFormat("a link of kind %s", link.kind);
  return absl::StrFormat("%s VLAN %d on %s", link.dot1q ? "802.1Q" : "802.1ad", link.tag, NameOf(network, link.lower_index));
}

// The link of our name is ours, and no other one has our tag: the kernel takes a tag once per base.
absl::Status CheckLink(const StorageVlan& vlan, const NetworkSnapshot& network, const Link& base) {
  for (const Link& link : network.links) {
    const bool same = IsVlanOn(link, base.index, vlan.tag);
    if (same == (link.name == vlan.LinkName())) continue;
    if (same) {
      return VlanConflict(vlan, absl::StrFormat("tag %d on %s is taken by the link %s; asked for was %s", vlan.tag, vlan.base,
                                                link.name, vlan.LinkName()));
    }
    return VlanConflict(vlan, absl::StrFormat("%s is %s; asked for was 802.1Q VLAN %d on %s", link.name, LinkText(network, link),
                                              vlan.tag, vlan.base));
  }
  return absl::OkStatus();
}

absl::Status CheckAddress(const StorageVlan& vlan, const NetworkSnapshot& network) {
  for (const Link& link : network.links) {
    for (const IpPrefix& address : link.addresses) {
      const bool ours = link.name == vlan.LinkName() && address == vlan.address;
      if (address.address != vlan.address.address || ours) continue;
      return VlanConflict(vlan, absl::StrFormat("%s has the address %s; asked for was %s on %s", link.name, address.ToString(),
                                                vlan.address.ToString(), vlan.LinkName()));
    }
  }
  return absl::OkStatus();
}

bool IsOwnRoute(const StorageVlan& vlan, const LinkRoute& route, const Link* link) {
  return link != nullptr && route.link_index == link->index && route.gateway == vlan.gateway;
}

absl::Status CheckRoutes(const StorageVlan& vlan, const NetworkSnapshot& network, const Link* link) {
  for (const LinkRoute& route : network.routes) {
    if (!Contains(vlan.routed_subnets, route.subnet) || IsOwnRoute(vlan, route, link)) continue;
    return VlanConflict(vlan, absl::StrFormat("%s is routed %s%s already; asked for was via %s on %s", route.subnet.ToString(),
                                              route.gateway ? absl::StrFormat("via %s on ", route.gateway->ToString()) : "to ",
                                              NameOf(network, route.link_index), vlan.gateway->ToString(), vlan.LinkName()));
  }
  return absl::OkStatus();
}

absl::Status Check(const StorageVlan& vlan, const NetworkSnapshot& network, const Link& base, const Link* link) {
  if (absl::Status status = CheckLink(vlan, network, base); !status.ok()) return status;
  if (vlan.mtu > base.mtu) return MtuExceedsBase(vlan, base.mtu);
  if (absl::Status status = CheckAddress(vlan, network); !status.ok()) return status;
  return CheckRoutes(vlan, network, link);
}

bool HasRoute(const StorageVlan& vlan, const NetworkSnapshot& network, const Link* link, const IpPrefix& subnet) {
  return std::any_of(network.routes.begin(), network.routes.end(),
                     [&](const LinkRoute& route) { return route.subnet == subnet && IsOwnRoute(vlan, route, link); });
}

void PlanLink(const StorageVlan& vlan, const Link& base, const Link* link, std::vector<VlanStep>& steps) {
  if (link == nullptr) steps.push_back({.part = VlanStep::Part::kLink});
  const uint32_t has = link == nullptr ? base.mtu : link->mtu;
  const uint32_t wanted = vlan.mtu == 0 ? base.mtu : vlan.mtu;
  if (has != wanted) steps.push_back({.part = VlanStep::Part::kMtu, .mtu = wanted, .mtu_before = has});
}

void PlanIsolation(const StorageVlan& vlan, const VlanState& state, std::vector<VlanStep>& steps) {
  if (!vlan.isolated || state.reachable == vlan.ReachableSubnets()) return;
  steps.push_back(
      {.part = VlanStep::Part::kIsolation, .reachable = vlan.ReachableSubnets(), .reachable_before = state.reachable});
}

void PlanTraffic(const StorageVlan& vlan, const VlanState& state, const Link& base, const Link* link, VlanPlan& plan) {
  auto& steps = plan.steps;
  if (base.vlan_aware && !Contains(base.bridge_vids, vlan.tag)) steps.push_back({.part = VlanStep::Part::kBridgeVid});
  if (link == nullptr || !Contains(link->addresses, vlan.address)) steps.push_back({.part = VlanStep::Part::kAddress});
  // The kernel refuses to bring up a VLAN whose base is down (and routes through it); it brings it up with its base.
  if (!base.up) plan.waiting = absl::StrFormat("%s is down", vlan.base);
  const bool up = link != nullptr && link->up;
  if (!up && !base.up) return;
  if (!up) steps.push_back({.part = VlanStep::Part::kUp});
  for (const IpPrefix& subnet : vlan.routed_subnets) {
    if (!HasRoute(vlan, state.network, link, subnet)) steps.push_back({.part = VlanStep::Part::kRoute, .subnet = subnet});
  }
}

void RemoveFromOthersLink(const StorageVlanRecord& record, const VlanState& state, const Link& link,
                          std::vector<VlanStep>& steps) {
  for (const IpPrefix& subnet : record.made.routes) {
    if (!HasRoute(record.vlan, state.network, &link, subnet)) continue;
    steps.push_back({.part = VlanStep::Part::kRoute, .removes = true, .subnet = subnet});
  }
  if (record.made.address && Contains(link.addresses, record.vlan.address)) {
    steps.push_back({.part = VlanStep::Part::kAddress, .removes = true});
  }
  if (record.made.up && link.up) steps.push_back({.part = VlanStep::Part::kUp, .removes = true});
}

}  // namespace

bool VlanPlan::CreatesLink() const { return !steps.empty() && steps.front().part == VlanStep::Part::kLink; }

std::string VlanPlan::Findings(const StorageVlan& vlan) const {
  std::string findings = FindingsText(vlan, steps);
  if (!waiting.empty()) absl::StrAppendFormat(&findings, "%s%s", findings.empty() ? "" : ", ", waiting);
  return findings;
}

absl::StatusOr<VlanPlan> PlanVlan(const StorageVlan& vlan, const VlanState& state) {
  const Link* base = state.network.Find(vlan.base);
  if (base == nullptr) return BaseMissing(vlan);
  const Link* link = state.network.Find(vlan.LinkName());
  if (absl::Status status = Check(vlan, state.network, *base, link); !status.ok()) return status;
  VlanPlan plan;
  PlanLink(vlan, *base, link, plan.steps);
  PlanIsolation(vlan, state, plan.steps);
  PlanTraffic(vlan, state, *base, link, plan);
  return plan;
}

MadeParts MadeAfter(const std::vector<VlanStep>& steps, const MadeParts& before) {
  MadeParts made = before;
  for (const VlanStep& step : steps) {
    if (step.part == VlanStep::Part::kLink) made = {.link = true, .bridge_vid = before.bridge_vid};
    if (step.part == VlanStep::Part::kBridgeVid) made.bridge_vid = true;
    if (step.part == VlanStep::Part::kAddress) made.address = true;
    if (step.part == VlanStep::Part::kUp) made.up = true;
    if (step.part == VlanStep::Part::kRoute && !Contains(made.routes, step.subnet)) made.routes.push_back(step.subnet);
  }
  std::sort(made.routes.begin(), made.routes.end());
  return made;
}

MadeParts MadeWithoutLink(const StorageVlan& vlan, const MadeParts& made, const NetworkSnapshot& network) {
  const Link* base = network.Find(vlan.base);
  return {.bridge_vid = made.bridge_vid && base != nullptr && Contains(base->bridge_vids, vlan.tag)};
}

bool HasVlan(const NetworkSnapshot& network, const StorageVlan& vlan) {
  const Link* base = network.Find(vlan.base);
  const Link* link = network.Find(vlan.LinkName());
  return base != nullptr && link != nullptr && IsVlanOn(*link, base->index, vlan.tag);
}

std::vector<VlanStep> PlanRemoval(const StorageVlanRecord& record, const VlanState& state) {
  const StorageVlan& vlan = record.vlan;
  std::vector<VlanStep> steps;
  if (HasVlan(state.network, vlan)) {
    if (record.made.link) {
      steps.push_back({.part = VlanStep::Part::kLink, .removes = true});
    } else {
      RemoveFromOthersLink(record, state, *state.network.Find(vlan.LinkName()), steps);
    }
  }
  const Link* base = state.network.Find(vlan.base);
  if (record.made.bridge_vid && base != nullptr && Contains(base->bridge_vids, vlan.tag)) {
    steps.push_back({.part = VlanStep::Part::kBridgeVid, .removes = true});
  }
  // Last, so that nothing else is reached through it even for a moment.
  if (state.reachable) steps.push_back({.part = VlanStep::Part::kIsolation, .reachable_before = state.reachable});
  return steps;
}

std::string WhatStays(const StorageVlanRecord& record, const VlanState& state) {
  const Link* link = state.network.Find(record.vlan.LinkName());
  if (link == nullptr) return "";
  if (!HasVlan(state.network, record.vlan)) {
    return absl::StrFormat("%s is %s now and stays", link->name, LinkText(state.network, *link));
  }
  return record.made.link ? "" : absl::StrFormat("%s was there before and stays", link->name);
}

}  // namespace pvebus::storage
