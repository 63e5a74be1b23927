#pragma once

#include <chrono>
#include <string>

#include "CLI/App.hpp"
#include "container-service/host/node/host_node.h"

namespace pvebus::container {

// What the command line of container-service has beyond that of all hook services.
struct Flags {
  HostNodePaths paths;
  std::string hooks_directory = "/etc/pvebus/container-hooks.d";
  std::chrono::seconds program_limit{30};
  int parallel_programs = 8;
  std::string spool;  // empty: in the data directory
  bool watch_links = true;
};

// Requires: `flags` outlives the app.
void AddFlags(CLI::App& app, Flags& flags);

}  // namespace pvebus::container
