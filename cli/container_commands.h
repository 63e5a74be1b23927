#pragma once

#include <CLI/CLI.hpp>

#include "cli/service_option.h"

namespace pvebus::cli {

// Each adds commands to `pvebus container`.
void AddContainerHooksCommand(CLI::App& container, const AskService& ask);
void AddContainerExecutionsCommand(CLI::App& container, const AskService& ask);
void AddContainerStatsCommand(CLI::App& container, const AskService& ask);
void AddContainerClearCommand(CLI::App& container, const AskService& ask);
void AddContainerNetworkCommand(CLI::App& container, const AskService& ask);
void AddContainerRunCommand(CLI::App& container, const AskService& ask);

// Of an option or argument that says which container.
CLI::Option* CheckVmid(CLI::Option* option);

}  // namespace pvebus::cli
