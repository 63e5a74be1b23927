#pragma once

#include <optional>
#include <string>
#include <vector>

#include "network-service/core/diagnostic.h"
#include "network-service/core/interface.h"
#include "network-service/core/interfaces_reader.h"

namespace pvebus::network {

enum class ChangeType { kDelete, kUpdate, kCreate };

// What became of one interface. Who is renamed is deleted and created.
struct ConfigChange {
  ChangeType type = ChangeType::kUpdate;
  std::string target;
  std::optional<Interface> old_config;  // none: created
  std::optional<Interface> new_config;  // none: deleted
  std::string description;              // "vmbr0: ports eno1 -> bond0, VLAN-aware on"; valid UTF-8

  bool operator==(const ConfigChange&) const = default;
};

// Deletes, updates, creates; by name within each. Empty when both mean the same. Any thread.
std::vector<ConfigChange> Diff(const Interfaces& before, const Interfaces& after);

// What would happen if a configuration were applied.
struct NetworkDiff {
  bool accepted = false;
  std::vector<ConfigChange> changes;    // none unless accepted
  std::vector<Diagnostic> diagnostics;  // of the new configuration; before them the old one's errors, as warnings
};

// Refuses a new configuration that has errors, in itself or in how its interfaces fit together (CheckInterfaces). Any thread.
NetworkDiff Compare(const NetworkConfiguration& before, const NetworkConfiguration& after);

}  // namespace pvebus::network
