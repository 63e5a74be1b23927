#pragma once

#include "absl/status/status.h"
#include "sdk/sqlite/database.h"

namespace pvebus {

// A transaction that writes: all of it is kept, or nothing. On the stack of who changes something; one thread.
class SqliteTransaction {
 public:
  // Requires: outlives this.
  explicit SqliteTransaction(SqliteDatabase& database) : database_(database) {}
  // Nothing of it is kept when it has not ended.
  ~SqliteTransaction();
  SqliteTransaction(const SqliteTransaction&) = delete;
  SqliteTransaction& operator=(const SqliteTransaction&) = delete;

  absl::Status Begin();
  // Commits when `status` is OK, else nothing of it is kept. What became of it.
  absl::Status End(const absl::Status& status);

 private:
  void RollBack();

  SqliteDatabase& database_;
  bool open_ = false;
};

}  // namespace pvebus
