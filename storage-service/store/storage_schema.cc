#include "storage-service/store/storage_schema.h"

namespace pvebus::storage {
namespace {

constexpr int kApplicationId = 0x70766573;  // "pves", shown by file(1)

// One entry per version: what brings a file of the version before to it. Never changed once released, only added to.
constexpr const char* kMigrations[] = {
    R"sql(
      CREATE TABLE vlans (
        storage_id TEXT PRIMARY KEY,
        base TEXT NOT NULL,
        tag INTEGER NOT NULL,
        address TEXT NOT NULL,
        mtu INTEGER NOT NULL,
        gateway TEXT NOT NULL,
        routed_subnets TEXT NOT NULL,
        isolated INTEGER NOT NULL,
        phase INTEGER NOT NULL,
        made_link INTEGER NOT NULL,
        made_bridge_vid INTEGER NOT NULL,
        made_address INTEGER NOT NULL,
        made_up INTEGER NOT NULL,
        made_routes TEXT NOT NULL,
        create_time_ns INTEGER NOT NULL
      ) WITHOUT ROWID;
      CREATE TABLE told_states (
        storage_id TEXT PRIMARY KEY,
        state INTEGER NOT NULL
      ) WITHOUT ROWID;
      CREATE TABLE notices (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        request_id TEXT NOT NULL,
        kind INTEGER NOT NULL,
        storage_id TEXT NOT NULL,
        parent_event_id TEXT NOT NULL,
        time_ns INTEGER NOT NULL,
        link TEXT NOT NULL,
        state_before INTEGER NOT NULL,
        state_after INTEGER NOT NULL,
        reason TEXT NOT NULL
      );
    )sql",
};

}  // namespace

SqliteSchema StorageSchema() {
  return {.application_id = kApplicationId,
          .migrations = kMigrations,
          .reason = "STORAGE_STATE",
          .what = "state of storage-service",
          .when_away = "and define the VLANs of storages again"};
}

}  // namespace pvebus::storage
