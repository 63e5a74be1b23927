#include "network-service/core/config_change.h"

#include "absl/strings/str_cat.h"
#include "network-service/core/change_description.h"
#include "network-service/core/interface_checks.h"

namespace pvebus::network {
namespace {

const Interface* Find(const Interfaces& interfaces, const std::string& name) {
  const auto it = interfaces.find(name);
  return it == interfaces.end() ? nullptr : &it->second;
}

// The interfaces of `some` that `others` does not have.
std::vector<const Interface*> OnlyIn(const Interfaces& some, const Interfaces& others) {
  std::vector<const Interface*> missing;
  for (const auto& [name, interface] : some) {
    if (Find(others, name) == nullptr) missing.push_back(&interface);
  }
  return missing;
}

// The old side is in force whatever is wrong with it; but the changes may then not be all.
void AddOldErrors(const NetworkConfiguration& before, std::vector<Diagnostic>& diagnostics) {
  for (const Diagnostic& diagnostic : before.diagnostics) {
    if (diagnostic.severity != Severity::kError) continue;
    diagnostics.push_back({Severity::kWarning, diagnostic.place,
                           absl::StrCat("in the old configuration, so that changes may be missing: ", diagnostic.message)});
  }
}

}  // namespace

std::vector<ConfigChange> Diff(const Interfaces& before, const Interfaces& after) {
  std::vector<ConfigChange> changes;
  for (const Interface* gone : OnlyIn(before, after)) {
    changes.push_back({ChangeType::kDelete, gone->name, *gone, std::nullopt, DescribeDeleted(*gone)});
  }
  for (const auto& [name, old_config] : before) {
    const Interface* new_config = Find(after, name);
    if (new_config == nullptr || *new_config == old_config) continue;
    changes.push_back({ChangeType::kUpdate, name, old_config, *new_config, DescribeUpdated(old_config, *new_config)});
  }
  for (const Interface* created : OnlyIn(after, before)) {
    changes.push_back({ChangeType::kCreate, created->name, std::nullopt, *created, DescribeCreated(*created)});
  }
  return changes;
}

NetworkDiff Compare(const NetworkConfiguration& before, const NetworkConfiguration& after) {
  NetworkDiff diff;
  AddOldErrors(before, diff.diagnostics);
  Diagnostics checks;
  CheckInterfaces(after, checks);
  diff.accepted = !after.has_errors && !checks.has_errors();
  diff.diagnostics.insert(diff.diagnostics.end(), after.diagnostics.begin(), after.diagnostics.end());
  for (Diagnostic& diagnostic : checks.Take()) diff.diagnostics.push_back(std::move(diagnostic));
  if (diff.accepted) diff.changes = Diff(before.interfaces, after.interfaces);
  return diff;
}

}  // namespace pvebus::network
