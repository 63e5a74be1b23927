#pragma once

#include "sdk/sqlite/schema.h"

namespace pvebus::storage {

// The tables of storage.db:
//   vlans        the VLANs of storages: as they are defined, how far they are, and what of them is ours
//   told_states  the last state of each storage that the bus was told
//   notices      what the bus must still hear, in order
// Its errors are STORAGE_STATE_FOREIGN, _NEWER, _DAMAGED, _FULL and _UNUSABLE.
SqliteSchema StorageSchema();

}  // namespace pvebus::storage
