#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "bus-service/store/dead_letter_rows.h"
#include "bus-service/store/delivery_rows.h"
#include "bus-service/store/event_rows.h"
#include "bus-service/store/id_rows.h"
#include "bus-service/store/journal_row.h"
#include "bus-service/store/listener_rows.h"
#include "bus-service/store/segment_rows.h"
#include "sdk/sqlite/database.h"

namespace pvebus::bus {

// All tables of journal.db over one connection. One thread at a time.
struct JournalTables {
  // Requires: the schema is prepared.
  static absl::StatusOr<std::unique_ptr<JournalTables>> Open(std::unique_ptr<SqliteDatabase> database);

  explicit JournalTables(std::unique_ptr<SqliteDatabase> connection);

  // A transaction that only reads sees one moment of the journal.
  absl::Status Begin() { return transactions[0].Run(); }
  absl::Status BeginWriting() { return transactions[1].Run(); }
  absl::Status Commit() { return transactions[2].Run(); }
  absl::Status Rollback() { return database->in_transaction() ? transactions[3].Run() : absl::OkStatus(); }

  const std::unique_ptr<SqliteDatabase> database;
  Statements transactions;
  JournalRow journal;
  EventRows events;
  SegmentRows segments;
  IdRows ids;
  ListenerRows listeners;
  DeliveryRows deliveries;
  DeadLetterRows dead_letters;
  LossRows losses;
};

}  // namespace pvebus::bus
