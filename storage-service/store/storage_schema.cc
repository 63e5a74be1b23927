#include "storage-service/store/storage_schema.h"

#include <string_view>

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"
#include "sdk/sqlite/schema.h"

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

absl::Status PrepareStorageSchema(SqliteDatabase& database) {
  return MigrateSchema(database, {.application_id = kApplicationId,
                                  .migrations = kMigrations,
                                  .reason = "STORAGE_STATE",
                                  .what = "state of storage-service"});
}

absl::Status WithAdvice(const absl::Status& status, const std::string& path) {
  if (status.ok() || !ErrorReason(status).empty()) return status;
  const auto with = [&](std::string_view reason, const std::string& advice) {
    return MakeError(status.code(), reason, absl::StrFormat("%s; %s", status.message(), advice), {{"path", path}});
  };
  const std::string begin_anew = absl::StrFormat("move it (and %s-wal) away and define the VLANs of storages again", path);
  switch (status.code()) {
    case absl::StatusCode::kDataLoss:
      return with("STORAGE_STATE_DAMAGED", absl::StrFormat("put a copy of %s back, or %s", path, begin_anew));
    case absl::StatusCode::kResourceExhausted:
      return with("STORAGE_STATE_FULL", "make room there, or name another directory with --data-dir");
    case absl::StatusCode::kInternal:
      // The disk, or a file whose tables are not what they were.
      return with("STORAGE_STATE_UNUSABLE", absl::StrFormat("look after the disk, or %s", begin_anew));
    default:
      return with("STORAGE_STATE_UNUSABLE", "let this user read and write it, or name another directory with --data-dir");
  }
}

}  // namespace pvebus::storage
