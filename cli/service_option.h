#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "cli/console.h"

namespace pvebus::cli {

// Makes `action` what the program does, with a service of the node, rather than the bus, as the server that it asks.
using AskService = std::function<void(Action action)>;

// Where the service is that the commands below `command` ask. For "storage": --storage or PVEBUS_STORAGE names storage-service.
// Requires: `action` outlives the command line.
AskService AddServiceOption(CLI::App& command, const std::string& name, const std::string& address, Action& action);

}  // namespace pvebus::cli
