#include "container-service/core/lifecycle.h"

#include <array>

namespace pvebus::container {
namespace {

struct Names {
  LifecycleKind kind;
  std::string_view name;
  std::string_view word;
};

constexpr std::array<Names, 8> kNames = {{{LifecycleKind::kInterfaceAdded, "InterfaceAdded", "interface_added"},
                                          {LifecycleKind::kInterfaceRemoved, "InterfaceRemoved", "interface_removed"},
                                          {LifecycleKind::kInterfaceUpdated, "InterfaceUpdated", "interface_updated"},
                                          {LifecycleKind::kVnetBound, "VNetBound", "vnet_bound"},
                                          {LifecycleKind::kVnetUnbound, "VNetUnbound", "vnet_unbound"},
                                          {LifecycleKind::kStarted, "ContainerStarted", "container_started"},
                                          {LifecycleKind::kStopped, "ContainerStopped", "container_stopped"},
                                          {LifecycleKind::kMigrated, "ContainerMigrated", "container_migrated"}}};

const Names& NamesOf(LifecycleKind kind) {
  for (const Names& names : kNames) {
    if (names.kind == kind) return names;
  }
  return kNames[5];
}

}  // namespace

std::string_view LifecycleName(LifecycleKind kind) { return NamesOf(kind).name; }
std::string_view LifecycleWord(LifecycleKind kind) { return NamesOf(kind).word; }

std::optional<LifecycleKind> LifecycleOfWord(std::string_view word) {
  for (const Names& names : kNames) {
    if (names.word == word) return names.kind;
  }
  return std::nullopt;
}

bool IsAboutInterface(LifecycleKind kind) {
  return kind != LifecycleKind::kStarted && kind != LifecycleKind::kStopped && kind != LifecycleKind::kMigrated;
}

bool HasNetworkAfter(LifecycleKind kind) { return kind != LifecycleKind::kStopped; }

}  // namespace pvebus::container
