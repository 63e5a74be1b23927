#pragma once

#include <optional>
#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "migration-service/core/gates.h"
#include "migration-service/core/outcome_window.h"
#include "migration-service/core/route_table.h"
#include "migration-service/host/route_map/nginx_route_map.h"

namespace pvebus::migration {

// What the command line of migration-service has beyond that of all hook services.
struct Flags {
  GateLimits gates;
  OutcomeWindow::Options outcomes;
  std::vector<std::string> overrides;  // as ParseOverride takes them
  RouteTable::Timeouts timeouts;
  NginxRouteMap::Options route_map;  // its path is empty: there is none
};

// Requires: `flags` outlives the app.
void AddFlags(CLI::App& app, Flags& flags);

}  // namespace pvebus::migration
