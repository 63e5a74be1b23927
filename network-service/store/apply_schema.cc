#include "network-service/store/apply_schema.h"

namespace pvebus::network {
namespace {

constexpr int kApplicationId = 0x7076656e;  // "pven", shown by file(1)

// One entry per version: what brings a file of the version before to it. Never changed once released, only added to.
constexpr const char* kMigrations[] = {
    R"sql(
      CREATE TABLE applies (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        apply_id TEXT NOT NULL,
        request_id TEXT NOT NULL,
        source INTEGER NOT NULL,
        state INTEGER NOT NULL,
        reason TEXT NOT NULL,
        requested_by TEXT NOT NULL,
        reverts_apply_id TEXT NOT NULL,
        begin_time_ns INTEGER NOT NULL,
        end_time_ns INTEGER,
        confirm_timeout_ns INTEGER NOT NULL,
        confirm_until_ns INTEGER,
        reload_exit_code INTEGER,
        reload_timed_out INTEGER,
        reload_duration_ns INTEGER,
        reload_output BLOB,
        failure_reason TEXT NOT NULL,
        failure_message TEXT NOT NULL,
        warnings BLOB NOT NULL,
        old_file BLOB,
        new_file BLOB NOT NULL,
        old_interfaces BLOB NOT NULL,
        new_interfaces BLOB NOT NULL,
        revert_request_id TEXT NOT NULL
      );
      CREATE UNIQUE INDEX applies_by_apply_id ON applies (apply_id);
      CREATE UNIQUE INDEX applies_by_request_id ON applies (request_id) WHERE request_id <> '';
      CREATE INDEX applies_by_revert_request_id ON applies (revert_request_id) WHERE revert_request_id <> '';
      CREATE INDEX applies_by_state ON applies (state, apply_id);
      CREATE TABLE publications (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        apply_id TEXT NOT NULL,
        kind INTEGER NOT NULL,
        published INTEGER NOT NULL,
        result BLOB NOT NULL
      );
      CREATE INDEX publications_by_apply_id ON publications (apply_id);
      CREATE INDEX notices ON publications (number) WHERE published = 0;
      CREATE TABLE known (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        interfaces BLOB NOT NULL,
        boot_id TEXT NOT NULL
      );
    )sql",
};

}  // namespace

SqliteSchema ApplySchema() {
  return {.application_id = kApplicationId,
          .migrations = kMigrations,
          .reason = "NETWORK_STATE",
          .what = "state of network-service",
          .when_away =
              "to begin with an empty history of applies: the configuration files stay as they are, and an apply that is "
              "under way is not undone"};
}

}  // namespace pvebus::network
