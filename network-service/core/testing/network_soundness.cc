#include "network-service/core/testing/network_soundness.h"

#include "absl/strings/str_format.h"
#include "network-service/core/interface_checks.h"
#include "network-service/core/interfaces_printer.h"
#include "network-service/core/stanza.h"
#include "network-service/core/testing/memory_files.h"
#include "sdk/base/utf8.h"

namespace pvebus::network {
namespace {

constexpr size_t kLongestMessage = 1500;
constexpr size_t kLongestDescription = 800;

bool IsUtf8(const std::string& text) { return CleanUtf8(text, text.size()) == text; }

std::string WhyUnsound(const Diagnostic& diagnostic) {
  if (diagnostic.message.empty()) return "a diagnostic says nothing";
  if (!IsUtf8(diagnostic.message)) return "a diagnostic is no UTF-8: " + diagnostic.message;
  if (diagnostic.message.size() > kLongestMessage) return "a diagnostic is too long: " + diagnostic.message;
  return "";
}

std::string WhyUnsound(const Interface& interface) {
  if (!WhyNoInterfaceName(interface.name).empty()) return interface.name + " is no name";
  if (interface.mtu && (*interface.mtu < 68 || *interface.mtu > 65535)) return interface.name + ": no mtu";
  if (interface.gateway && interface.gateway->v6) return interface.name + ": the gateway is of IPv6";
  if (interface.gateway6 && !interface.gateway6->v6) return interface.name + ": the gateway6 is of IPv4";
  for (const auto& [name, values] : interface.options) {
    if (values.empty()) return interface.name + ": an option without a value: " + name;
  }
  return "";
}

// Of an old side and of a new one, and the other way round.
std::string WhyNoInverse(const std::vector<ConfigChange>& there, const std::vector<ConfigChange>& back) {
  if (there.size() != back.size()) return "the changes back are not as many";
  std::map<std::string, const ConfigChange*> by_target;
  for (const ConfigChange& change : back) by_target[change.target] = &change;
  for (const ConfigChange& change : there) {
    const auto other = by_target.find(change.target);
    if (other == by_target.end()) return change.target + " does not change back";
    if (other->second->old_config != change.new_config || other->second->new_config != change.old_config) {
      return change.target + " changes back to something else";
    }
  }
  return "";
}

}  // namespace

std::string WhyUnsound(const NetworkConfiguration& configuration, size_t bytes) {
  bool error_told = false;
  for (const Diagnostic& diagnostic : configuration.diagnostics) {
    if (std::string why = WhyUnsound(diagnostic); !why.empty()) return why;
    error_told = error_told || diagnostic.severity == Severity::kError;
  }
  if (error_told != configuration.has_errors) return "has_errors is not what the diagnostics say";
  if (configuration.diagnostics.size() > kMostDiagnostics + 1) return "too many diagnostics";
  for (const auto& [name, interface] : configuration.interfaces) {
    if (std::string why = WhyUnsound(interface); !why.empty()) return why;
    if (name != interface.name || !configuration.places.contains(name)) return name + " is at no place";
  }
  const std::string printed = PrintInterfaces(configuration.interfaces);
  // An address of two bytes becomes one of more than a line; a stanza its head twice.
  if (printed.size() > 20 * bytes + 100) return absl::StrFormat("%d bytes became %d", bytes, printed.size());
  if (printed.size() > kMostFileBytes) return "";
  const Interfaces again = Understand(printed).interfaces;
  return again == configuration.interfaces ? "" : "its text means something else:\n" + printed;
}

std::string WhyUnsound(const NetworkConfiguration& before, const NetworkConfiguration& after) {
  const std::vector<ConfigChange> changes = Diff(before.interfaces, after.interfaces);
  for (const ConfigChange& change : changes) {
    if (!IsUtf8(change.description)) return "a description is no UTF-8: " + change.description;
    if (change.description.size() > kLongestDescription) return "a description is too long: " + change.description;
    if (change.description.size() <= change.target.size() + 2) return "a description says nothing: " + change.description;
  }
  if (!Diff(after.interfaces, after.interfaces).empty()) return "something changes into itself";
  const NetworkDiff diff = Compare(before, after);
  for (const Diagnostic& diagnostic : diff.diagnostics) {
    if (std::string why = WhyUnsound(diagnostic); !why.empty()) return why;
  }
  if (diff.accepted ? diff.changes != changes : !diff.changes.empty()) return "the changes are not those of the answer";
  return WhyNoInverse(changes, Diff(after.interfaces, before.interfaces));
}

}  // namespace pvebus::network
