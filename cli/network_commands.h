#pragma once

#include <CLI/CLI.hpp>

#include "cli/service_option.h"

namespace pvebus::cli {

// Each adds a command to `pvebus network`.
void AddNetworkPendingCommand(CLI::App& network, const AskService& ask);
void AddNetworkApplyCommand(CLI::App& network, const AskService& ask);
void AddNetworkConfirmCommand(CLI::App& network, const AskService& ask);
void AddNetworkRevertCommand(CLI::App& network, const AskService& ask);
void AddNetworkHistoryCommand(CLI::App& network, const AskService& ask);

}  // namespace pvebus::cli
