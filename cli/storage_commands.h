#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "cli/console.h"

namespace pvebus::cli {

// Makes `action` what the program does, with storage-service as the server that it asks.
using AskStorageService = std::function<void(Action action)>;

// Each adds commands to `pvebus storage`.
void AddStorageListCommand(CLI::App& storage, const AskStorageService& ask);
void AddStorageStatusCommand(CLI::App& storage, const AskStorageService& ask);
void AddStorageVlanCommands(CLI::App& storage, const AskStorageService& ask);
void AddStorageReconcileCommand(CLI::App& storage, const AskStorageService& ask);

}  // namespace pvebus::cli
