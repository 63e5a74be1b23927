#include "bus-service/store/wal_room.h"

#include <sqlite3.h>

#include <algorithm>
#include <vector>

namespace pvebus::bus {
namespace {

constexpr int kChunk = 1 << 16;  // SQLite writes less than 128 KiB at once

}  // namespace

void MakeRoomInWal(SqliteDatabase& database, int64_t bytes) {
  // Through SQLite's own handle: whatever file system it was told to use.
  sqlite3_file* wal = nullptr;
  if (sqlite3_file_control(database.handle(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal) != SQLITE_OK || !wal || !wal->pMethods)
    return;
  sqlite3_int64 size = 0;
  if (wal->pMethods->xFileSize(wal, &size) != SQLITE_OK) return;
  const std::vector<char> zeros(kChunk);
  int result = SQLITE_OK;
  for (sqlite3_int64 at = size; result == SQLITE_OK && at < bytes; at += kChunk) {
    result = wal->pMethods->xWrite(wal, zeros.data(), static_cast<int>(std::min<sqlite3_int64>(kChunk, bytes - at)), at);
  }
  if (result == SQLITE_OK && size < bytes) result = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
  if (result != SQLITE_OK) wal->pMethods->xTruncate(wal, size);
}

}  // namespace pvebus::bus
