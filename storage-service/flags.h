#pragma once

#include <chrono>
#include <string>

#include "CLI/App.hpp"

namespace pvebus::storage {

// What the command line of storage-service has beyond that of all hook services.
struct Flags {
  std::string storage_config = "/etc/pve/storage.cfg";
  std::chrono::seconds refresh_interval{60};  // 0: only when something happens
  std::chrono::seconds probe_limit{3};
  std::chrono::seconds repair_delay{3};
};

// Requires: `flags` outlives the app.
void AddFlags(CLI::App& app, Flags& flags);

}  // namespace pvebus::storage
