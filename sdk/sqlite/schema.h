#pragma once

#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sdk/sqlite/database.h"

namespace pvebus {

// What a file of ours holds, and how it came to be so.
struct SqliteSchema {
  int application_id = 0;  // PRAGMA application_id, shown by file(1): whose file it is
  // One entry per version (PRAGMA user_version): what brings a file of the version before to it. Never changed once released,
  // only added to.
  std::span<const char* const> migrations;
  std::string reason;     // of errors, to be followed by _FOREIGN, _NEWER, _DAMAGED, ...: "HOOK_HISTORY"
  std::string what;       // for eyes: "hook history"
  std::string when_away;  // what follows from moving it away, for eyes: "to begin with an empty history"
};

// DATA_LOSS <reason>_FOREIGN; the same words for who finds out otherwise that a file is somebody else's: `how` it is.
absl::Status ForeignFile(const SqliteSchema& schema, const std::string& path, const std::string& how);

// Brings a new or an older file to the newest version; an error also when it can only be read. ForeignFile when it is a database
// of something else, FAILED_PRECONDITION <reason>_NEWER when a newer program has written it.
absl::Status MigrateSchema(SqliteDatabase& database, const SqliteSchema& schema);

// A file whose pages fit together, in the newest version; made where it is missing. Errors as MigrateSchema, and those of
// SqliteDatabase.
absl::StatusOr<std::unique_ptr<SqliteDatabase>> OpenDatabase(const std::string& path, const SqliteSchema& schema);

// `status` of opening, reading or writing the file with what an operator can do about it: <reason>_DAMAGED, _FULL, _UNUSABLE. One
// that has a reason stays as it is.
absl::Status WithAdvice(const absl::Status& status, const std::string& path, const SqliteSchema& schema);

}  // namespace pvebus
