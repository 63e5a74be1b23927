#include "bus-service/store/journal_schema.h"

#include <iterator>

#include "absl/strings/str_format.h"

namespace pvebus::bus {
namespace {

constexpr int kApplicationId = 0x70766562;  // "pveb", shown by file(1)

// One entry per version: what brings a journal of the version before to it. Never changed once released, only added to.
constexpr const char* kMigrations[] = {
    R"sql(
      CREATE TABLE events (
        sequence INTEGER PRIMARY KEY,
        publish_time INTEGER NOT NULL,
        event_type INTEGER NOT NULL,
        event_id TEXT NOT NULL,
        request_id TEXT NOT NULL,
        source TEXT NOT NULL,
        subject TEXT NOT NULL,
        ordering_key TEXT NOT NULL,
        attributes BLOB NOT NULL,
        parent_event_id TEXT NOT NULL,
        hop_count INTEGER NOT NULL,
        expire_time INTEGER,
        body BLOB NOT NULL,
        checksum INTEGER NOT NULL
      );
      CREATE TABLE listeners (
        listener_id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        state BLOB NOT NULL,
        checksum INTEGER NOT NULL
      );
      CREATE TABLE interests (
        listener_id INTEGER NOT NULL,
        after_sequence INTEGER NOT NULL,
        event_types INTEGER NOT NULL,
        filter TEXT NOT NULL,
        checksum INTEGER NOT NULL,
        PRIMARY KEY (listener_id, after_sequence)
      ) WITHOUT ROWID;
      CREATE TABLE progress (
        listener_id INTEGER PRIMARY KEY,
        next_sequence INTEGER NOT NULL,
        wanted_again_until INTEGER NOT NULL,
        unsettled BLOB NOT NULL,
        checksum INTEGER NOT NULL
      );
      CREATE TABLE deliveries (
        listener_id INTEGER NOT NULL,
        sequence INTEGER NOT NULL,
        state INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        reason TEXT NOT NULL,
        message TEXT NOT NULL,
        detail BLOB NOT NULL,
        checksum INTEGER NOT NULL,
        PRIMARY KEY (listener_id, sequence)
      ) WITHOUT ROWID;
      CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL, checksum INTEGER NOT NULL) WITHOUT ROWID;
    )sql",
};

}  // namespace

absl::Status PrepareJournalSchema(SqliteDatabase& database) {
  auto version = database.QueryNumber("PRAGMA user_version");
  if (!version.ok()) return version.status();
  auto application = database.QueryNumber("PRAGMA application_id");
  if (!application.ok()) return application.status();
  const auto newest = static_cast<int64_t>(std::size(kMigrations));
  auto tables = database.QueryNumber("SELECT count(*) FROM sqlite_schema");
  if (!tables.ok()) return tables.status();
  if (*application != kApplicationId && (*version != 0 || *tables != 0)) {
    return absl::DataLossError(absl::StrFormat("%s is a database, but no journal of pvebus", database.path()));
  }
  if (*version > newest) {
    return absl::FailedPreconditionError(absl::StrFormat("%s has schema version %d, this bus knows up to %d: start the newer bus",
                                                         database.path(), *version, newest));
  }
  for (int64_t next = *version; next < newest; ++next) {
    const std::string sql = absl::StrFormat("BEGIN IMMEDIATE; %s PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
                                            kMigrations[next], kApplicationId, next + 1);
    if (auto status = database.Execute(sql.c_str()); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace pvebus::bus
