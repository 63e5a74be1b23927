#include "sdk/hooks/hook_schema.h"

#include "sdk/sqlite/schema.h"

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

SqliteSchema Schema() {
  return {.application_id = kApplicationId,
          .migrations = kMigrations,
          .reason = "HOOK_HISTORY",
          .what = "hook history",
          .when_away = "to begin with an empty history: hooks may then run again for events that come again"};
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
  return name == program ? absl::OkStatus() : ForeignFile(Schema(), database.path(), "is the hook history of " + name);
}

}  // namespace

absl::Status PrepareHookSchema(SqliteDatabase& database, const std::string& program) {
  if (auto status = MigrateSchema(database, Schema()); !status.ok()) return status;
  return CheckOwner(database, program);
}

absl::Status WithAdvice(const absl::Status& status, const std::string& path) {
  return pvebus::WithAdvice(status, path, Schema());
}

}  // namespace pvebus::hooks
