#include "network-service/core/change_description.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sdk/base/utf8.h"

namespace pvebus::network {
namespace {

constexpr size_t kLongestValue = 120;
constexpr size_t kLongestDescription = 800;

// What an interface is, aspect by aspect, in the order in which an operator asks.
struct Aspect {
  std::string name;
  std::string value;  // empty: it has none
  bool is_switch = false;
};
using Aspects = std::vector<Aspect>;

std::string Cut(const std::string& text, size_t limit) {
  std::string clean = CleanUtf8(text, limit + 1);
  return clean.size() <= limit ? clean : CleanUtf8(text, limit - 3) + "...";
}

void AddOptions(const Options& options, Aspects& aspects) {
  for (const auto& [name, values] : options) aspects.push_back({name, absl::StrJoin(values, "; ")});
}

struct TypeAspects {
  Aspects aspects;

  void operator()(const Loopback& /*loopback*/) {}
  void operator()(const Physical& /*physical*/) {}
  void operator()(const Bridge& bridge) {
    aspects.push_back({"ports", absl::StrJoin(bridge.ports, " ")});
    aspects.push_back({"VLAN-aware", bridge.vlan_aware ? "on" : "", true});
  }
  void operator()(const Bond& bond) {
    aspects.push_back({"slaves", absl::StrJoin(bond.slaves, " ")});
    aspects.push_back({"mode", bond.mode});
    AddOptions(bond.options, aspects);
  }
  void operator()(const Vlan& vlan) {
    aspects.push_back({"tag", std::to_string(vlan.tag)});
    aspects.push_back({"parent", vlan.parent});
  }
  void operator()(const Vxlan& vxlan) {
    aspects.push_back({"id", std::to_string(vxlan.id)});
    aspects.push_back({"local", vxlan.local});
    aspects.push_back({"remote", absl::StrJoin(vxlan.remotes, " ")});
    aspects.push_back({"port", vxlan.dstport ? std::to_string(*vxlan.dstport) : ""});
  }
  void operator()(const Ovs& ovs) {
    aspects.push_back({"OVS bridge", ovs.bridge});
    aspects.push_back({"ports", absl::StrJoin(ovs.ports, " ")});
    aspects.push_back({"slaves", absl::StrJoin(ovs.slaves, " ")});
  }
};

Aspects TypeAspectsOf(const Interface& interface) {
  TypeAspects type;
  std::visit(type, interface.type);
  return std::move(type.aspects);
}

std::string AddressesOf(const Interface& interface) {
  return absl::StrJoin(interface.addresses, " ",
                       [](std::string* out, const IpPrefix& prefix) { out->append(prefix.ToString()); });
}

Aspects CommonAspectsOf(const Interface& interface) {
  Aspects aspects;
  aspects.push_back({"IPv4 method", MethodName(interface.method)});
  aspects.push_back({"IPv6 method", MethodName(interface.method6)});
  aspects.push_back({"address", AddressesOf(interface)});
  aspects.push_back({"gateway", interface.gateway ? interface.gateway->ToString() : ""});
  aspects.push_back({"IPv6 gateway", interface.gateway6 ? interface.gateway6->ToString() : ""});
  aspects.push_back({"mtu", interface.mtu ? std::to_string(*interface.mtu) : ""});
  aspects.push_back({"at boot", interface.enabled ? "on" : "", true});
  AddOptions(interface.options, aspects);
  return aspects;
}

std::string Shown(const std::string& value) { return value.empty() ? "none" : Cut(value, kLongestValue); }

void AddDifference(const Aspect& before, const Aspect& after, std::vector<std::string>& parts) {
  if (before.value == after.value) return;
  const std::string name = Cut(before.name, kLongestValue);
  if (before.is_switch || after.is_switch) {
    parts.push_back(absl::StrFormat("%s %s", name, after.value.empty() ? "off" : "on"));
  } else {
    parts.push_back(absl::StrFormat("%s %s -> %s", name, Shown(before.value), Shown(after.value)));
  }
}

// Of two lists that may be long, each name only once in a list.
void AddDifferences(const Aspects& before, const Aspects& after, std::vector<std::string>& parts) {
  std::map<std::string_view, const Aspect*> old_by_name, new_by_name;
  for (const Aspect& aspect : before) old_by_name[aspect.name] = &aspect;
  for (const Aspect& aspect : after) new_by_name[aspect.name] = &aspect;
  for (const Aspect& aspect : before) {
    const auto other = new_by_name.find(aspect.name);
    AddDifference(aspect, other == new_by_name.end() ? Aspect{.name = aspect.name} : *other->second, parts);
  }
  for (const Aspect& aspect : after) {
    if (!old_by_name.contains(aspect.name)) AddDifference({.name = aspect.name}, aspect, parts);
  }
}

// All that it has, in a few words: "ports eno1, VLAN-aware, address 10.0.0.1/24".
std::vector<std::string> Summary(const Interface& interface) {
  std::vector<std::string> parts;
  Aspects aspects = TypeAspectsOf(interface);
  for (Aspect& aspect : CommonAspectsOf(interface)) {
    const bool usual = aspect.value == "static" || aspect.value == "manual" || aspect.value == "loopback";
    if (!usual && aspect.name != "at boot") aspects.push_back(std::move(aspect));
  }
  for (const Aspect& aspect : aspects) {
    if (aspect.value.empty()) continue;
    parts.push_back(aspect.is_switch ? aspect.name : Cut(aspect.name, kLongestValue) + " " + Shown(aspect.value));
  }
  if (!interface.enabled) parts.emplace_back("not at boot");
  return parts;
}

std::string Describe(const std::string& name, const std::vector<std::string>& parts) {
  return Cut(absl::StrCat(name, ": ", absl::StrJoin(parts, ", ")), kLongestDescription);
}

struct NameOfType {
  std::string operator()(const Loopback& /*loopback*/) const { return "loopback"; }
  std::string operator()(const Physical& /*physical*/) const { return "network card"; }
  std::string operator()(const Bridge& /*bridge*/) const { return "bridge"; }
  std::string operator()(const Bond& /*bond*/) const { return "bond"; }
  std::string operator()(const Vlan& /*vlan*/) const { return "VLAN"; }
  std::string operator()(const Vxlan& /*vxlan*/) const { return "VXLAN"; }
  std::string operator()(const Ovs& ovs) const { return Cut(ovs.type, kLongestValue); }
};

}  // namespace

std::string TypeName(const Interface& interface) { return std::visit(NameOfType(), interface.type); }

std::string DescribeCreated(const Interface& interface) {
  std::vector<std::string> parts = Summary(interface);
  parts.insert(parts.begin(), "new " + TypeName(interface));
  return Describe(interface.name, parts);
}

std::string DescribeDeleted(const Interface& interface) {
  std::vector<std::string> parts = Summary(interface);
  parts.insert(parts.begin(), TypeName(interface) + " removed");
  return Describe(interface.name, parts);
}

std::string DescribeUpdated(const Interface& before, const Interface& after) {
  std::vector<std::string> parts;
  if (TypeName(before) != TypeName(after)) parts.push_back(absl::StrFormat("%s -> %s", TypeName(before), TypeName(after)));
  if (before.type.index() == after.type.index()) {
    AddDifferences(TypeAspectsOf(before), TypeAspectsOf(after), parts);
  } else {
    AddDifferences({}, TypeAspectsOf(after), parts);
  }
  AddDifferences(CommonAspectsOf(before), CommonAspectsOf(after), parts);
  return Describe(after.name, parts);
}

}  // namespace pvebus::network
