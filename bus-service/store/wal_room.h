#pragma once

#include <cstdint>

#include "sdk/sqlite/database.h"

namespace pvebus::bus {

// Makes the WAL of an open database at least so long, with zeros, which SQLite takes for nothing: then commits overwrite what the
// file has already, and their fdatasync has no new length and no new blocks to write down (measured on ext4: 100 us instead of
// 350). Changes nothing when the disk has no room for it. Requires: nobody writes.
void MakeRoomInWal(SqliteDatabase& database, int64_t bytes);

}  // namespace pvebus::bus
