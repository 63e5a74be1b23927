#pragma once

#include "absl/status/status.h"
#include "sdk/sqlite/database.h"

namespace pvebus::bus {

// The tables of journal.db (described in bus-service/README.md), made or brought to this version. DATA_LOSS when the file is no
// journal, FAILED_PRECONDITION when a newer bus has written it.
absl::Status PrepareJournalSchema(SqliteDatabase& database);

}  // namespace pvebus::bus
