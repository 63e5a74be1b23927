#pragma once

#include "absl/status/status.h"
#include "sdk/sqlite/database.h"

namespace pvebus::bus {

// The tables of journal.db (described in bus-service/README.md), made or brought to this version. FAILED_PRECONDITION when the
// file is a database of somebody else's, or a newer bus has written it; DATA_LOSS when it is damaged.
absl::Status PrepareJournalSchema(SqliteDatabase& database);

}  // namespace pvebus::bus
