#pragma once

#include <string>

#include "absl/status/status.h"
#include "cli/console.h"

namespace pvebus::cli {

// What an operator can do about an error of a server, and about one that has this reason; empty when there is nothing to add.
std::string Advice(const absl::Status& error, const Server& server);
std::string AdviceOn(const std::string& reason);

// Says on `err` what was refused, why, and what to do next. Returns kRefused.
int PrintRefusal(const absl::Status& error, const GlobalOptions& global, Console& console);

// The command line itself is wrong. Returns kUsageError.
int PrintUsageError(const std::string& message, Console& console);

}  // namespace pvebus::cli
