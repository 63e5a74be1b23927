#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "bus-service/core/event.h"
#include "bus-service/store/record_codec.h"
#include "bus-service/store/statements.h"

namespace pvebus::bus {

// The rows of `events`. Knows no threads and no transactions. One thread at a time.
//
// Errors: those of SqliteDatabase, and Damaged for a row whose bytes are not the ones that were written.
class EventRows {
 public:
  explicit EventRows(SqliteDatabase& database) : sql_(database) {}
  absl::Status Prepare();

  // Gives the row's checksum.
  absl::StatusOr<int64_t> Put(const Event& event);
  // Events in [first, end).
  absl::Status Delete(Sequence first, Sequence end);

  // The rows from `from` on, ascending: Seek, then Next until it is false or End is called.
  void Seek(Sequence from);
  absl::StatusOr<bool> Next() { return sql_[kRead].Step(); }
  void End() { sql_[kRead].Reset(); }
  // Of the current row.
  Sequence sequence() { return static_cast<Sequence>(sql_[kRead].Number(0)); }
  SystemTime publish_time() { return FromNanos(sql_[kRead].Number(1)); }
  int64_t checksum() { return sql_[kRead].Number(7); }
  absl::StatusOr<std::shared_ptr<Event>> Current();

  // Null when there is no such row.
  absl::StatusOr<EventPtr> Get(Sequence sequence);
  // The sequences of events whose parent is this one, ascending.
  absl::StatusOr<std::vector<Sequence>> Children(Sequence parent, size_t most);
  // Of the last row; 0 when there is none.
  absl::StatusOr<Sequence> LastSequence();

 private:
  enum : size_t { kPut, kDelete, kRead, kChildren, kLast };

  Statements sql_;
  RecordWriter record_;
};

}  // namespace pvebus::bus
