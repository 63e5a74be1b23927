#include "bus-service/store/journal_schema.h"

#include <iterator>

#include "absl/strings/str_format.h"
#include "bus-service/store/damage.h"

namespace pvebus::bus {
namespace {

constexpr int kApplicationId = 0x70766562;  // "pveb", shown by file(1)

// One entry per version: what brings a journal of the version before to it. Never changed once released, only added to.
constexpr const char* kMigrations[] = {
    R"sql(
      CREATE TABLE journal (
        id INTEGER PRIMARY KEY,
        commits INTEGER NOT NULL,
        first_sequence INTEGER NOT NULL,
        last_sequence INTEGER NOT NULL,
        last_publish_time INTEGER NOT NULL,
        last_listener_id INTEGER NOT NULL,
        last_dead_letter_id INTEGER NOT NULL,
        last_replay_number INTEGER NOT NULL,
        dead_letters INTEGER NOT NULL,
        hash_seed INTEGER NOT NULL,
        checksum INTEGER NOT NULL
      );
      CREATE TABLE events (
        sequence INTEGER PRIMARY KEY,
        publish_time INTEGER NOT NULL,
        event_type INTEGER NOT NULL,
        parent_sequence INTEGER NOT NULL,
        event_id TEXT NOT NULL,
        record BLOB NOT NULL,
        body BLOB NOT NULL,
        checksum INTEGER NOT NULL
      );
      CREATE INDEX events_by_parent ON events (parent_sequence) WHERE parent_sequence <> 0;
      CREATE TABLE segments (
        first_sequence INTEGER PRIMARY KEY,
        event_count INTEGER NOT NULL,
        event_bytes INTEGER NOT NULL,
        first_time INTEGER NOT NULL,
        last_time INTEGER NOT NULL,
        events_checksum INTEGER NOT NULL,
        checksum INTEGER NOT NULL
      );
      CREATE TABLE segment_ids (
        first_sequence INTEGER PRIMARY KEY,
        entries BLOB NOT NULL,
        checksum INTEGER NOT NULL
      );
      CREATE TABLE id_blocks (
        block INTEGER PRIMARY KEY,
        first_sequence INTEGER NOT NULL,
        last_sequence INTEGER NOT NULL,
        bloom BLOB NOT NULL,
        checksum INTEGER NOT NULL
      );
      CREATE TABLE id_entries (
        bucket INTEGER PRIMARY KEY,
        entries BLOB NOT NULL,
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
        ahead INTEGER NOT NULL,
        counted_until INTEGER NOT NULL,
        unsettled BLOB NOT NULL,
        gaps BLOB NOT NULL,
        checksum INTEGER NOT NULL
      );
      CREATE TABLE deliveries (
        sequence INTEGER NOT NULL,
        listener_id INTEGER NOT NULL,
        state INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        reason TEXT NOT NULL,
        message TEXT NOT NULL,
        detail BLOB NOT NULL,
        checksum INTEGER NOT NULL,
        PRIMARY KEY (sequence, listener_id)
      ) WITHOUT ROWID;
      CREATE TABLE dead_letters (
        dead_letter_id INTEGER PRIMARY KEY,
        listener_id INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        listener_name TEXT NOT NULL,
        time INTEGER NOT NULL,
        redrive_id TEXT NOT NULL,
        delivery BLOB NOT NULL,
        event BLOB NOT NULL,
        checksum INTEGER NOT NULL
      );
      CREATE INDEX dead_letters_by_listener ON dead_letters (listener_id, bytes);
      CREATE TABLE replays (
        listener_id INTEGER NOT NULL,
        number INTEGER NOT NULL,
        replay_id TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        dry_run INTEGER NOT NULL,
        dead_letter_id INTEGER NOT NULL,
        checksum INTEGER NOT NULL,
        PRIMARY KEY (listener_id, number)
      ) WITHOUT ROWID;
      CREATE TABLE losses (
        part TEXT NOT NULL,
        first_sequence INTEGER NOT NULL,
        last_sequence INTEGER NOT NULL,
        message TEXT NOT NULL,
        time INTEGER NOT NULL,
        checksum INTEGER NOT NULL
      );
    )sql",
    // Listeners' states of version 2 (state_codec.cc): a bus of before could not read them.
    "",
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
    return absl::FailedPreconditionError(absl::StrFormat("%s is a database, but no journal of pvebus", database.path()));
  }
  if (*version == 0 && *tables != 0) return Damaged("journal.db", 0, "journal.db has tables, but its version is gone");
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
