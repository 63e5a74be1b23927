#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "sdk/programs/program_runner.h"

namespace pvebus::network {

// From one file to the other, under the names of the applied and the staged one; empty when they are equal. Of more than a MiB
// the end, behind a line that says so. FAILED_PRECONDITION PROGRAM_NOT_RUN, or CONFIGURATION_UNREADABLE with diff's own words.
// Any thread.
absl::StatusOr<std::string> DiffFiles(const std::string& before, const std::string& after, ProgramRunner& programs);

}  // namespace pvebus::network
