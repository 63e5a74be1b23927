#pragma once

#include <string>

#include "absl/status/status.h"
#include "sdk/sqlite/database.h"

namespace pvebus::hooks {

// The tables of hooks.db, made or brought to this version:
//   executions  the history: what each hook did in each attempt
//   successes   which hook, or part of a hook, has succeeded for which event, oldest first; what a redelivery leaves out
//   statistics  counts and durations per hook
//   kept        what the service counts and remembers
//   about       whose file it is
// An error names the file and says what to do: DATA_LOSS when it is damaged or no hook history, FAILED_PRECONDITION when a newer
// program or another service has written it.
absl::Status PrepareHookSchema(SqliteDatabase& database, const std::string& program);

// `status` of opening or reading hooks.db with what an operator can do about it.
absl::Status WithAdvice(const absl::Status& status, const std::string& path);

}  // namespace pvebus::hooks
