#include "network-service/json/network_json.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_join.h"

namespace pvebus::network {
namespace {

using Json = nlohmann::ordered_json;

Json OptionsJson(const Options& options) {
  Json json = Json::object();
  for (const auto& [name, values] : options) json[name] = absl::StrJoin(values, "\n");
  return json;
}

Json TextOrNull(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json AddressOrNull(const std::optional<IpAddress>& address) { return address ? Json(address->ToString()) : Json(); }

struct TypeJson {
  Json operator()(const Physical& /*physical*/) const { return "Physical"; }
  Json operator()(const Loopback& /*loopback*/) const { return "Loopback"; }
  Json operator()(const Bridge& bridge) const {
    return {{"Bridge", {{"ports", Json(bridge.ports)}, {"vlan_aware", bridge.vlan_aware}}}};
  }
  Json operator()(const Bond& bond) const {
    return {{"Bond", {{"slaves", Json(bond.slaves)}, {"mode", bond.mode}, {"options", OptionsJson(bond.options)}}}};
  }
  Json operator()(const Vlan& vlan) const { return {{"Vlan", {{"parent", vlan.parent}, {"tag", vlan.tag}}}}; }
  Json operator()(const Vxlan& vxlan) const {
    Json fields = {{"id", vxlan.id},
                   {"local", TextOrNull(vxlan.local)},
                   {"remote", vxlan.remotes.empty() ? Json() : Json(vxlan.remotes.front())},
                   {"dstport", vxlan.dstport ? Json(*vxlan.dstport) : Json()}};
    return {{"Vxlan", std::move(fields)}};
  }
  Json operator()(const Ovs& ovs) const {
    Json fields = Json::object();
    if (!ovs.bridge.empty()) fields["bridge"] = ovs.bridge;
    if (ovs.type == "OVSBridge" || !ovs.ports.empty()) fields["ports"] = Json(ovs.ports);
    if (ovs.type == "OVSBond" || !ovs.slaves.empty()) fields["slaves"] = Json(ovs.slaves);
    Json tagged = Json::object();
    tagged[ovs.type.starts_with("OVS") ? "Ovs" + ovs.type.substr(3) : ovs.type] = std::move(fields);
    return tagged;
  }
};

std::string MethodJson(Method method) {
  switch (method) {
    case Method::kNone:
      return "None";
    case Method::kStatic:
      return "Static";
    case Method::kDhcp:
      return "Dhcp";
    case Method::kAuto:
      return "Auto";
    case Method::kManual:
    case Method::kLoopback:
    case Method::kPpp:
    case Method::kTunnel:
      return "Manual";
  }
  return "None";
}

Json AddressesJson(const std::vector<IpPrefix>& addresses) {
  Json json = Json::array();
  for (const IpPrefix& prefix : addresses) {
    json.push_back({{"addr", prefix.address.ToString()}, {"prefix_len", prefix.length}});
  }
  return json;
}

// Its type has only the first remote.
Options OptionsWithRemotes(const Interface& interface) {
  Options options = interface.options;
  const Vxlan* vxlan = std::get_if<Vxlan>(&interface.type);
  if (vxlan != nullptr && vxlan->remotes.size() > 1) options["vxlan-remoteip"] = vxlan->remotes;
  return options;
}

Json ConfigOrNull(const std::optional<Interface>& interface) { return interface ? ToDocument(*interface) : Json(); }

const char* ChangeTypeJson(ChangeType type) {
  switch (type) {
    case ChangeType::kDelete:
      return "delete";
    case ChangeType::kUpdate:
      return "update";
    case ChangeType::kCreate:
      return "create";
  }
  return "update";
}

Json DiagnosticJson(const Diagnostic& diagnostic) {
  return {{"severity", diagnostic.severity == Severity::kError ? "error" : "warning"},
          {"file", diagnostic.place.file},
          {"line", diagnostic.place.line},
          {"message", diagnostic.message}};
}

}  // namespace

Json ToDocument(const Interface& interface) {
  return {{"name", interface.name},
          {"iface_type", std::visit(TypeJson(), interface.type)},
          {"method", MethodJson(interface.method)},
          {"addresses", AddressesJson(interface.addresses)},
          {"gateway", AddressOrNull(interface.gateway)},
          {"method6", MethodJson(interface.method6)},
          {"gateway6", AddressOrNull(interface.gateway6)},
          {"mtu", interface.mtu ? Json(*interface.mtu) : Json()},
          {"options", OptionsJson(OptionsWithRemotes(interface))},
          {"enabled", interface.enabled}};
}

Json ToDocument(const ConfigChange& change) {
  return {{"change_type", ChangeTypeJson(change.type)},
          {"target", change.target},
          {"old_config", ConfigOrNull(change.old_config)},
          {"new_config", ConfigOrNull(change.new_config)},
          {"description", change.description}};
}

Json ToDocument(const NetworkDiff& diff) {
  Json changes = Json::array();
  for (const ConfigChange& change : diff.changes) changes.push_back(ToDocument(change));
  Json diagnostics = Json::array();
  for (const Diagnostic& diagnostic : diff.diagnostics) diagnostics.push_back(DiagnosticJson(diagnostic));
  return {{"accepted", diff.accepted}, {"changes", std::move(changes)}, {"diagnostics", std::move(diagnostics)}};
}

}  // namespace pvebus::network
