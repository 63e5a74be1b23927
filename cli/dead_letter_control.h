#pragma once

#include <CLI/CLI.hpp>

#include "cli/console.h"

namespace pvebus::cli {

// `pvebus dead-letters redrive|discard`.
void AddRedriveCommand(CLI::App& dead_letters, Action& action);
void AddDiscardCommand(CLI::App& dead_letters, Action& action);

}  // namespace pvebus::cli
