#include "migration-service/store/migration_schema.h"

namespace pvebus::migration {
namespace {

constexpr int kApplicationId = 0x7076656d;  // "pvem", shown by file(1)

// One entry per version: what brings a file of the version before to it. Never changed once released, only added to.
constexpr const char* kMigrations[] = {
    R"sql(
      CREATE TABLE changes (
        number INTEGER PRIMARY KEY,
        from_phase INTEGER NOT NULL,
        to_phase INTEGER NOT NULL,
        forced INTEGER NOT NULL,
        automatic INTEGER NOT NULL,
        reason TEXT NOT NULL,
        requested_by TEXT NOT NULL,
        event_id TEXT NOT NULL,
        time_ns INTEGER NOT NULL,
        transactions INTEGER NOT NULL
      );
      CREATE UNIQUE INDEX changes_by_event_id ON changes (event_id) WHERE event_id <> '';
      CREATE TABLE counts (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        transactions INTEGER NOT NULL,
        phase_transactions INTEGER NOT NULL,
        last_transaction_event_id TEXT NOT NULL,
        reports INTEGER NOT NULL,
        failures INTEGER NOT NULL
      );
      INSERT INTO counts VALUES (1, 0, 0, '', 0, 0);
      CREATE TABLE counted (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        event_id TEXT NOT NULL
      );
      CREATE UNIQUE INDEX counted_by_event_id ON counted (event_id);
      CREATE TABLE step_back (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        to_phase INTEGER NOT NULL,
        from_phase INTEGER,
        force INTEGER NOT NULL,
        automatic INTEGER NOT NULL,
        reason TEXT NOT NULL,
        requested_by TEXT NOT NULL,
        event_id TEXT NOT NULL,
        time_ns INTEGER NOT NULL
      );
    )sql",
};

}  // namespace

SqliteSchema MigrationSchema() {
  return {.application_id = kApplicationId,
          .migrations = kMigrations,
          .reason = "MIGRATION_STATE",
          .what = "state of migration-service",
          .when_away =
              "to begin with an empty history, in phase perl-only or, where an older version has kept its own in hooks.db, in "
              "that one; then tell it the phase"};
}

}  // namespace pvebus::migration
