#pragma once

#include <CLI/CLI.hpp>

#include "cli/console.h"

namespace pvebus::cli {

// `pvebus listeners pause|resume|evict|seek|delete NAME`.
void AddListenerControlCommands(CLI::App& listeners, Action& action);

}  // namespace pvebus::cli
