#include "storage-service/core/vlan_step.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace pvebus::storage {
namespace {

std::string StepText(const StorageVlan& vlan, const VlanStep& step, bool done) {
  const std::string link = vlan.LinkName();
  const char* adds = done ? "added" : "add";
  const char* removes = done ? "removed" : "remove";
  switch (step.part) {
    case VlanStep::Part::kLink:
      return absl::StrFormat("%s%s %s", step.removes ? "delete" : "create", done ? "d" : "", link);
    case VlanStep::Part::kMtu:
      return absl::StrFormat("set its MTU to %d (%s %d)", step.mtu, done ? "was" : "is", step.mtu_before);
    case VlanStep::Part::kIsolation:
      return absl::StrFormat("%s%s it", step.reachable ? "isolate" : "release", done ? "d" : "");
    case VlanStep::Part::kBridgeVid:
      return absl::StrFormat("%s tag %d %s bridge %s", step.removes ? removes : adds, vlan.tag, step.removes ? "from" : "to",
                             vlan.base);
    case VlanStep::Part::kAddress:
      return absl::StrFormat("%s %s", step.removes ? removes : adds, vlan.address.ToString());
    case VlanStep::Part::kUp:
      if (step.removes) return done ? "took it down" : "take it down";
      return done ? "brought it up" : "bring it up";
    case VlanStep::Part::kRoute:
      return absl::StrFormat("%s the route to %s", step.removes ? removes : adds, step.subnet.ToString());
  }
  return "";
}

std::string FindingText(const StorageVlan& vlan, const VlanStep& step) {
  switch (step.part) {
    case VlanStep::Part::kLink:
      return absl::StrFormat("%s is %s", vlan.LinkName(), step.removes ? "still there" : "missing");
    case VlanStep::Part::kMtu:
      return absl::StrFormat("MTU %d instead of %d", step.mtu_before, step.mtu);
    case VlanStep::Part::kIsolation:
      if (!step.reachable) return "still isolated";
      return step.reachable_before ? "isolated to other subnets" : "not isolated";
    case VlanStep::Part::kBridgeVid:
      return absl::StrFormat("tag %d is %s bridge %s", vlan.tag, step.removes ? "still on" : "missing on", vlan.base);
    case VlanStep::Part::kAddress:
      return absl::StrFormat("address %s is %s", vlan.address.ToString(), step.removes ? "still there" : "missing");
    case VlanStep::Part::kUp:
      return step.removes ? "still up" : "down";
    case VlanStep::Part::kRoute:
      return absl::StrFormat("route to %s is %s", step.subnet.ToString(), step.removes ? "still there" : "missing");
  }
  return "";
}

void Change(const StorageVlan& vlan, const VlanStep& step, VlanState& state) {
  auto& links = state.network.links;
  const auto named = [&](const std::string& name) {
    return std::find_if(links.begin(), links.end(), [&](const Link& link) { return link.name == name; });
  };
  const auto link = named(vlan.LinkName());
  const auto base = named(vlan.base);
  switch (step.part) {
    case VlanStep::Part::kLink:
      if (step.removes) {
        links.erase(link);
      } else {
        links.push_back({.index = -1,
                         .name = vlan.LinkName(),
                         .kind = "vlan",
                         .lower_index = base->index,
                         .tag = vlan.tag,
                         .dot1q = true,
                         .mtu = base->mtu});
      }
      return;
    case VlanStep::Part::kMtu:
      link->mtu = step.mtu;
      return;
    case VlanStep::Part::kIsolation:
      state.reachable = step.reachable;
      return;
    case VlanStep::Part::kBridgeVid:
      if (step.removes) {
        std::erase(base->bridge_vids, vlan.tag);
      } else {
        base->bridge_vids.push_back(vlan.tag);
      }
      return;
    case VlanStep::Part::kAddress:
      if (step.removes) {
        std::erase(link->addresses, vlan.address);
      } else {
        link->addresses.push_back(vlan.address);
      }
      return;
    case VlanStep::Part::kUp:
      link->up = !step.removes;
      return;
    case VlanStep::Part::kRoute:
      if (step.removes) {
        std::erase_if(state.network.routes,
                      [&](const LinkRoute& route) { return route.link_index == link->index && route.subnet == step.subnet; });
      } else {
        state.network.routes.push_back({link->index, step.subnet, vlan.gateway});
      }
      return;
  }
}

}  // namespace

VlanStep VlanStep::Inverse() const {
  VlanStep inverse = *this;
  if (part != Part::kMtu && part != Part::kIsolation) inverse.removes = !removes;
  std::swap(inverse.mtu, inverse.mtu_before);
  std::swap(inverse.reachable, inverse.reachable_before);
  return inverse;
}

std::string StepsText(const StorageVlan& vlan, const std::vector<VlanStep>& steps, bool done) {
  return absl::StrJoin(steps, ", ", [&](std::string* out, const VlanStep& step) { out->append(StepText(vlan, step, done)); });
}

std::string FindingsText(const StorageVlan& vlan, const std::vector<VlanStep>& steps) {
  // Of a link that is missing everything else is missing, too.
  const bool link_missing = !steps.empty() && steps.front().part == VlanStep::Part::kLink && !steps.front().removes;
  if (link_missing) return FindingText(vlan, steps.front());
  return absl::StrJoin(steps, ", ", [&](std::string* out, const VlanStep& step) { out->append(FindingText(vlan, step)); });
}

std::string StateText(const StorageVlan& vlan, const VlanState& state) {
  const Link* link = state.network.Find(vlan.LinkName());
  if (link == nullptr) return "missing";
  std::string text = absl::StrFormat("mtu %d, %s", link->mtu, link->up ? "up" : "down");
  if (link->addresses.empty()) text += ", no address";
  for (const IpPrefix& address : link->addresses) absl::StrAppendFormat(&text, ", %s", address.ToString());
  for (const LinkRoute& route : state.network.routes) {
    if (route.link_index != link->index || !route.gateway) continue;
    absl::StrAppendFormat(&text, ", %s via %s", route.subnet.ToString(), route.gateway->ToString());
  }
  const Link* base = state.network.Find(vlan.base);
  if (base != nullptr && base->vlan_aware && std::count(base->bridge_vids.begin(), base->bridge_vids.end(), vlan.tag) == 0) {
    absl::StrAppendFormat(&text, ", tag %d not on %s", vlan.tag, vlan.base);
  }
  if (state.reachable) text += ", isolated";
  return text;
}

VlanState AfterSteps(const StorageVlan& vlan, const std::vector<VlanStep>& steps, VlanState state) {
  for (const VlanStep& step : steps) Change(vlan, step, state);
  return state;
}

}  // namespace pvebus::storage
