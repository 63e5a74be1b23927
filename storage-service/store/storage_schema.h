#pragma once

#include <string>

#include "absl/status/status.h"
#include "sdk/sqlite/database.h"

namespace pvebus::storage {

// The tables of storage.db, made or brought to this version:
//   vlans        the VLANs of storages: as they are defined, how far they are, and what of them is ours
//   told_states  the last state of each storage that the bus was told
//   notices      what the bus must still hear, in order
// An error names the file and says what to do: DATA_LOSS STORAGE_STATE_FOREIGN when it is another program's, FAILED_PRECONDITION
// STORAGE_STATE_NEWER when a newer one has written it.
absl::Status PrepareStorageSchema(SqliteDatabase& database);

// `status` of opening, reading or writing storage.db with what an operator can do about it: STORAGE_STATE_DAMAGED, _FULL,
// _UNUSABLE.
absl::Status WithAdvice(const absl::Status& status, const std::string& path);

}  // namespace pvebus::storage
