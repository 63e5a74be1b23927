#include "bus-service/store/journal_tables.h"

namespace pvebus::bus {

JournalTables::JournalTables(std::unique_ptr<SqliteDatabase> connection)
    : database(std::move(connection)),
      transactions(*database),
      journal(*database),
      events(*database),
      segments(*database),
      ids(*database),
      listeners(*database),
      deliveries(*database),
      dead_letters(*database),
      losses(*database) {}

absl::StatusOr<std::unique_ptr<JournalTables>> JournalTables::Open(std::unique_ptr<SqliteDatabase> database) {
  auto tables = std::make_unique<JournalTables>(std::move(database));
  absl::Status status = tables->transactions.Prepare({"BEGIN", "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"});
  status.Update(tables->journal.Prepare());
  status.Update(tables->events.Prepare());
  status.Update(tables->segments.Prepare());
  status.Update(tables->ids.Prepare());
  status.Update(tables->listeners.Prepare());
  status.Update(tables->deliveries.Prepare());
  status.Update(tables->dead_letters.Prepare());
  status.Update(tables->losses.Prepare());
  if (!status.ok()) return status;
  return tables;
}

}  // namespace pvebus::bus
