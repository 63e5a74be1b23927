#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "bus-service/core/event_log.h"

namespace pvebus::bus {

// A part of the journal is not as it was written: DATA_LOSS that carries the problem.
absl::Status Damaged(std::string_view part, Sequence sequence, std::string_view message);
// True when the status says that the journal cannot be trusted: a damaged part, or a file that SQLite cannot read.
bool IsDamage(const absl::Status& status);
// Requires: IsDamage.
JournalProblem ProblemOf(const absl::Status& status);

}  // namespace pvebus::bus
