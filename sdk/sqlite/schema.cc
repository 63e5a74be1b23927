#include "sdk/sqlite/schema.h"

#include <cstdint>
#include <string_view>

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"

namespace pvebus {

absl::Status ForeignFile(const SqliteSchema& schema, const std::string& path, const std::string& how) {
  return MakeError(absl::StatusCode::kDataLoss, schema.reason + "_FOREIGN",
                   absl::StrFormat("%s %s; move it away, or name another directory with --data-dir", path, how),
                   {{"path", path}});
}

absl::Status MigrateSchema(SqliteDatabase& database, const SqliteSchema& schema) {
  const auto version = database.QueryNumber("PRAGMA user_version");
  if (!version.ok()) return version.status();
  const auto application = database.QueryNumber("PRAGMA application_id");
  if (!application.ok()) return application.status();
  const auto tables = database.QueryNumber("SELECT count(*) FROM sqlite_schema");
  if (!tables.ok()) return tables.status();
  const bool is_new = *application == 0 && *version == 0 && *tables == 0;
  if (*application != schema.application_id && !is_new) {
    return ForeignFile(schema, database.path(), "is a database, but no " + schema.what);
  }
  const auto newest = static_cast<int64_t>(schema.migrations.size());
  if (*version > newest) {
    return MakeError(absl::StatusCode::kFailedPrecondition, schema.reason + "_NEWER",
                     absl::StrFormat("%s has schema version %d and this program knows up to %d; start the newer program, or name "
                                     "another directory with --data-dir",
                                     database.path(), *version, newest),
                     {{"path", database.path()}});
  }
  for (int64_t next = *version; next < newest; ++next) {
    const std::string sql = absl::StrFormat("BEGIN IMMEDIATE; %s PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
                                            schema.migrations[static_cast<size_t>(next)], schema.application_id, next + 1);
    if (auto status = database.Execute(sql.c_str()); !status.ok()) return status;
  }
  // A file that can only be read is said now, not when something is to be kept.
  return database.Execute("BEGIN IMMEDIATE; COMMIT");
}

absl::StatusOr<std::unique_ptr<SqliteDatabase>> OpenDatabase(const std::string& path, const SqliteSchema& schema) {
  auto database = SqliteDatabase::Open(path);
  if (!database.ok()) return database.status();
  if (absl::Status status = MigrateSchema(**database, schema); !status.ok()) return status;
  if (absl::Status status = (*database)->CheckStructure(); !status.ok()) return status;
  return database;
}

absl::Status WithAdvice(const absl::Status& status, const std::string& path, const SqliteSchema& schema) {
  if (status.ok() || !ErrorReason(status).empty()) return status;
  const auto with = [&](std::string_view ending, const std::string& advice) {
    return MakeError(status.code(), absl::StrFormat("%s_%s", schema.reason, ending),
                     absl::StrFormat("%s; %s", status.message(), advice), {{"path", path}});
  };
  const std::string begin_anew = absl::StrFormat("move it (and %s-wal) away %s", path, schema.when_away);
  switch (status.code()) {
    case absl::StatusCode::kDataLoss:
      return with("DAMAGED", absl::StrFormat("put a copy of %s back, or %s", path, begin_anew));
    case absl::StatusCode::kResourceExhausted:
      return with("FULL", "make room there, or name another directory with --data-dir");
    case absl::StatusCode::kInternal:
      // The disk, or a file whose tables are not what they were.
      return with("UNUSABLE", absl::StrFormat("look after the disk, or %s", begin_anew));
    default:
      return with("UNUSABLE", "let this user read and write it, or name another directory with --data-dir");
  }
}

}  // namespace pvebus
