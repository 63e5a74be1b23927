#pragma once

#include <CLI/CLI.hpp>

#include "cli/service_option.h"

namespace pvebus::cli {

// Each adds commands to `pvebus storage`.
void AddStorageListCommand(CLI::App& storage, const AskService& ask);
void AddStorageStatusCommand(CLI::App& storage, const AskService& ask);
void AddStorageVlanCommands(CLI::App& storage, const AskService& ask);
void AddStorageReconcileCommand(CLI::App& storage, const AskService& ask);

}  // namespace pvebus::cli
