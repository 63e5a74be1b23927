#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bus-service/core/state_log.h"
#include "bus-service/store/record_codec.h"
#include "sdk/sqlite/database.h"

namespace pvebus::bus {

// The rows of journal.db: puts and gets, each row with its checksum. Knows no threads and no transactions. One thread at a time.
//
// Errors: those of SqliteDatabase, and DATA_LOSS naming table and key for a row whose bytes are not the ones that were written.
class JournalTables {
 public:
  // Requires: the schema is prepared; `database` outlives the tables.
  static absl::StatusOr<std::unique_ptr<JournalTables>> Open(SqliteDatabase& database);

  absl::Status PutEvent(const Event& event);
  absl::Status PutListener(ListenerId listener, const ListenerSnapshot& snapshot);
  absl::Status PutInterest(ListenerId listener, const Interest& interest);
  absl::Status PutProgress(ListenerId listener, const Progress& progress);
  absl::Status PutDelivery(ListenerId listener, const DeliveryRecord& delivery);
  absl::Status DropListener(ListenerId listener);
  // Events before `sequence`, and what is known of their deliveries.
  absl::Status DropEventsBefore(Sequence sequence);
  // The highest sequence ever given out, when no event is left to show it.
  absl::Status PutLastSequence(Sequence sequence);

  // Ascending from `from`, at most so many and, after the first, so many bytes.
  absl::StatusOr<std::vector<EventPtr>> ReadEvents(Sequence from, size_t max_events, size_t max_bytes);
  // Everything. DATA_LOSS names the first row that is damaged or missing.
  absl::StatusOr<Recovery> Load();

 private:
  enum Sql : size_t {
    kPutEvent,
    kPutListener,
    kPutInterest,
    kPutProgress,
    kPutDelivery,
    kPutLastSequence,
    kReadEvents,
    kReadListeners,
    kReadInterests,
    kReadProgress,
    kReadDeliveries,
    kReadLastSequence,
    kReadOrphans,
    kSqlCount,
  };

  explicit JournalTables(SqliteDatabase& database) : database_(database) {}

  SqliteStatement& operator[](Sql sql) { return *statements_[sql]; }
  int64_t ChecksumOf(const Event& event, const std::string& attributes);
  absl::StatusOr<std::shared_ptr<Event>> CurrentEvent();
  absl::Status LoadEvents(Recovery& recovery);
  absl::Status LoadListener(Recovery::Listener& listener, bool& found_progress);
  // Rows of no listener: a crash between two commits may leave some, a damaged listener_id would too.
  absl::Status CheckOrphans();
  absl::Status LoadDeliveries(Recovery::Listener& listener);

  SqliteDatabase& database_;
  std::vector<std::unique_ptr<SqliteStatement>> statements_;
  RowChecksum checksum_;
};

}  // namespace pvebus::bus
