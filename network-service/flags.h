#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "CLI/App.hpp"

namespace pvebus::network {

// What the command line of network-service has beyond that of all services.
struct Flags {
  std::string etc_network = "/etc/network";
  std::string ifreload = "/usr/sbin/ifreload";
  std::string ifup = "/usr/sbin/ifup";
  std::string ifupdown_lock = "/run/network/.lock";
  std::chrono::seconds reload_limit{300};
  size_t history_limit = 200;
  bool watch_files = true;
};

// Requires: `flags` outlives the app.
void AddFlags(CLI::App& app, Flags& flags);

}  // namespace pvebus::network
