#include "sdk/hooks/hook_schema.h"

#include <iterator>

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"

namespace pvebus::hooks {
namespace {

constexpr int kApplicationId = 0x70766568;  // "pveh", shown by file(1)

// One entry per version: what brings a file of the version before to it. Never changed once released, only added to.
constexpr const char* kMigrations[] = {
    R"sql(
      CREATE TABLE about (program TEXT NOT NULL);
      CREATE TABLE executions (
        execution_id INTEGER PRIMARY KEY AUTOINCREMENT,
        event_id TEXT NOT NULL,
        hook TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        event_resource TEXT NOT NULL,
        start_time_ns INTEGER NOT NULL,
        duration_ns INTEGER NOT NULL,
        state INTEGER NOT NULL,
        resource TEXT NOT NULL,
        resource_before TEXT NOT NULL,
        resource_after TEXT NOT NULL,
        message TEXT NOT NULL
      );
      CREATE TABLE successes (
        success_id INTEGER PRIMARY KEY,
        event_id TEXT NOT NULL,
        hook TEXT NOT NULL,
        attempt INTEGER NOT NULL
      );
      CREATE UNIQUE INDEX successes_by_event ON successes (event_id, hook);
      CREATE TABLE statistics (
        hook TEXT PRIMARY KEY,
        total INTEGER NOT NULL,
        succeeded INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        skipped INTEGER NOT NULL,
        measured INTEGER NOT NULL,
        sum_ns INTEGER NOT NULL,
        min_ns INTEGER NOT NULL,
        max_ns INTEGER NOT NULL
      ) WITHOUT ROWID;
      CREATE TABLE kept (
        name TEXT PRIMARY KEY,
        number INTEGER NOT NULL,
        text TEXT NOT NULL,
        changed INTEGER NOT NULL
      ) WITHOUT ROWID;
    )sql",
    R"sql(
      ALTER TABLE executions ADD COLUMN exit_code INTEGER;
      ALTER TABLE executions ADD COLUMN output TEXT NOT NULL DEFAULT '';
    )sql",
};

absl::Status Foreign(const std::string& path, std::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, "HOOK_HISTORY_FOREIGN",
                   absl::StrFormat("%s %s; move it away, or name another directory with --data-dir", path, what),
                   {{"path", path}});
}

absl::Status CheckOwner(SqliteDatabase& database, const std::string& program) {
  auto owner = SqliteStatement::Prepare(database, "SELECT program FROM about");
  if (!owner.ok()) return owner.status();
  auto found = (*owner)->Step();
  if (!found.ok()) return found.status();
  if (!*found) {
    auto insert = SqliteStatement::Prepare(database, "INSERT INTO about VALUES (?1)");
    if (!insert.ok()) return insert.status();
    (*insert)->BindText(1, program);
    return (*insert)->Run();
  }
  const std::string name((*owner)->Bytes(0));
  (*owner)->Reset();
  return name == program ? absl::OkStatus() : Foreign(database.path(), absl::StrFormat("is the hook history of %s", name));
}

absl::Status Migrate(SqliteDatabase& database) {
  auto version = database.QueryNumber("PRAGMA user_version");
  if (!version.ok()) return version.status();
  auto application = database.QueryNumber("PRAGMA application_id");
  if (!application.ok()) return application.status();
  auto tables = database.QueryNumber("SELECT count(*) FROM sqlite_schema");
  if (!tables.ok()) return tables.status();
  if (*application != kApplicationId && (*application != 0 || *version != 0 || *tables != 0)) {
    return Foreign(database.path(), "is a database, but no hook history");
  }
  const auto newest = static_cast<int64_t>(std::size(kMigrations));
  if (*version > newest) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "HOOK_HISTORY_NEWER",
                     absl::StrFormat("%s has schema version %d and this program knows up to %d; start the newer program, or name "
                                     "another directory with --data-dir",
                                     database.path(), *version, newest),
                     {{"path", database.path()}});
  }
  for (int64_t next = *version; next < newest; ++next) {
    const std::string sql = absl::StrFormat("BEGIN IMMEDIATE; %s PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
                                            kMigrations[next], kApplicationId, next + 1);
    if (auto status = database.Execute(sql.c_str()); !status.ok()) return status;
  }
  // A file that can only be read is said now, not with the first event.
  return database.Execute("BEGIN IMMEDIATE; COMMIT");
}

}  // namespace

absl::Status PrepareHookSchema(SqliteDatabase& database, const std::string& program) {
  if (auto status = Migrate(database); !status.ok()) return status;
  return CheckOwner(database, program);
}

absl::Status WithAdvice(const absl::Status& status, const std::string& path) {
  if (status.ok() || !ErrorReason(status).empty()) return status;
  switch (status.code()) {
    case absl::StatusCode::kDataLoss:
      return MakeError(status.code(), "HOOK_HISTORY_DAMAGED",
                       absl::StrFormat("%s; put a copy of %s back, or move it (and %s-wal) away to begin with an empty history: "
                                       "hooks may then run again for events that come again",
                                       status.message(), path, path),
                       {{"path", path}});
    case absl::StatusCode::kResourceExhausted:
      return MakeError(status.code(), "HOOK_HISTORY_FULL",
                       absl::StrFormat("%s; make room there, or name another directory with --data-dir", status.message()),
                       {{"path", path}});
    case absl::StatusCode::kInternal:
      // The disk, or a file whose tables are not what they were.
      return MakeError(status.code(), "HOOK_HISTORY_UNUSABLE",
                       absl::StrFormat("%s; look after the disk, or move it (and %s-wal) away to begin with an empty history",
                                       status.message(), path),
                       {{"path", path}});
    default:
      return MakeError(
          status.code(), "HOOK_HISTORY_UNUSABLE",
          absl::StrFormat("%s; let this user read and write it, or name another directory with --data-dir", status.message()),
          {{"path", path}});
  }
}

}  // namespace pvebus::hooks
