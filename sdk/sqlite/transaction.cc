#include "sdk/sqlite/transaction.h"

namespace pvebus {

SqliteTransaction::~SqliteTransaction() { RollBack(); }

absl::Status SqliteTransaction::Begin() {
  absl::Status begun = database_.Execute("BEGIN IMMEDIATE");
  open_ = begun.ok();
  return begun;
}

absl::Status SqliteTransaction::End(const absl::Status& status) {
  absl::Status ended = status.ok() ? database_.Execute("COMMIT") : status;
  if (ended.ok()) open_ = false;
  RollBack();
  return ended;
}

void SqliteTransaction::RollBack() {
  // SQLite has rolled back by itself after some errors.
  if (open_ && database_.in_transaction()) (void)database_.Execute("ROLLBACK");
  open_ = false;
}

}  // namespace pvebus
