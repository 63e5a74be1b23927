#pragma once

#include "sdk/sqlite/schema.h"

namespace pvebus::migration {

// The tables of migration.db:
//   changes    all changes of the phase; the last one is in force
//   counts     what was counted, in all and since the last change: one row
//   counted    the events of the transactions that were counted last
//   step_back  what the bus must hear: one row, or none
// Its errors are MIGRATION_STATE_FOREIGN, _NEWER, _DAMAGED, _FULL and _UNUSABLE.
SqliteSchema MigrationSchema();

}  // namespace pvebus::migration
