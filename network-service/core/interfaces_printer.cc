#include "network-service/core/interfaces_printer.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "network-service/core/link_type.h"

namespace pvebus::network {
namespace {

void PrintOption(const std::string& name, const std::string& value, std::string& out) {
  // A backslash at the end of a line joins it with the next: an empty one.
  absl::StrAppend(&out, "\t", name, " ", value, value.ends_with('\\') ? "\\\n\n" : "\n");
}

void PrintOptions(const Options& options, std::string& out) {
  for (const auto& [name, values] : options) {
    for (const std::string& value : values) PrintOption(name, value, out);
  }
}

void PrintAddresses(const Interface& interface, bool v6, std::string& out) {
  for (const IpPrefix& prefix : interface.addresses) {
    if (prefix.address.v6 == v6) PrintOption("address", prefix.ToString(), out);
  }
  const std::optional<IpAddress>& gateway = v6 ? interface.gateway6 : interface.gateway;
  if (gateway) PrintOption("gateway", gateway->ToString(), out);
}

void PrintHead(const std::string& name, const char* family, Method method, std::string& out) {
  absl::StrAppend(&out, "iface ", name, " ", family, " ", MethodName(method), "\n");
}

void PrintInterface(const Interface& interface, std::string& out) {
  const bool inet = interface.method != Method::kNone;
  const bool inet6 = interface.method6 != Method::kNone;
  if (interface.enabled) absl::StrAppend(&out, "auto ", interface.name, "\n");
  if (inet) {
    PrintHead(interface.name, "inet", interface.method, out);
  } else if (inet6) {
    PrintHead(interface.name, "inet6", interface.method6, out);
  } else {
    absl::StrAppend(&out, "iface ", interface.name, "\n");
  }
  PrintAddresses(interface, false, out);
  if (!inet || !inet6) PrintAddresses(interface, true, out);
  if (interface.mtu) PrintOption("mtu", std::to_string(*interface.mtu), out);
  PrintOptions(OptionsOfType(interface), out);
  PrintOptions(interface.options, out);
  out += "\n";
  if (!inet || !inet6) return;
  PrintHead(interface.name, "inet6", interface.method6, out);
  PrintAddresses(interface, true, out);
  out += "\n";
}

}  // namespace

std::string PrintInterfaces(const Interfaces& interfaces) {
  std::string out;
  const auto loopback = interfaces.find("lo");
  if (loopback != interfaces.end()) PrintInterface(loopback->second, out);
  for (const auto& [name, interface] : interfaces) {
    if (name != "lo") PrintInterface(interface, out);
  }
  return out;
}

}  // namespace pvebus::network
