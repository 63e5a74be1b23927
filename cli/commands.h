#pragma once

#include <CLI/CLI.hpp>

#include "cli/console.h"

namespace pvebus::cli {

// Each adds one command to the command line; when it was chosen, `action` is set to what it does.
void AddPublishCommand(CLI::App& root, Action& action);
void AddResultCommand(CLI::App& root, Action& action);
void AddListenersCommand(CLI::App& root, Action& action);
void AddListenCommand(CLI::App& root, Action& action);
void AddEventsCommand(CLI::App& root, Action& action);
void AddEventCommand(CLI::App& root, Action& action);
void AddTraceCommand(CLI::App& root, Action& action);
void AddReplayCommand(CLI::App& root, Action& action);
void AddDeadLettersCommand(CLI::App& root, Action& action);
void AddWatchCommand(CLI::App& root, Action& action);
void AddJournalCommand(CLI::App& root, Action& action);
void AddStorageCommand(CLI::App& root, Action& action);
void AddContainerCommand(CLI::App& root, Action& action);
void AddNetworkCommand(CLI::App& root, Action& action);
void AddMigrationCommand(CLI::App& root, Action& action);
void AddHealthCommand(CLI::App& root, Action& action);

}  // namespace pvebus::cli
