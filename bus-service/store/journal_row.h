#pragma once

#include "absl/status/statusor.h"
#include "bus-service/core/state_log.h"
#include "bus-service/store/statements.h"

namespace pvebus::bus {

// What a journal knows of itself, beside its rows.
struct JournalState {
  uint64_t commits = 0;         // of those without an event; the others are counted by last_sequence
  Sequence first_sequence = 1;  // what is before it was forgotten
  // Of the newest event; in the file, as of the last commit that wrote this row.
  Sequence last_sequence = 0;
  int64_t last_publish_time = 0;  // ns since 1970
  ListenerId last_listener_id = 0;
  uint64_t last_dead_letter_id = 0;
  uint64_t last_replay_number = 0;
  uint64_t dead_letters = 0;  // how many there are: one that a page has forgotten is missed by it
  uint64_t hash_seed = 0;     // of the hashes of ids

  bool operator==(const JournalState&) const = default;
};

// The one row of `journal`. One thread at a time.
class JournalRow {
 public:
  explicit JournalRow(SqliteDatabase& database) : sql_(database) {}
  absl::Status Prepare();
  absl::Status Put(const JournalState& state);
  // Damaged when it is, NOT_FOUND when there is none.
  absl::StatusOr<JournalState> Get();

 private:
  enum : size_t { kPut, kGet };
  Statements sql_;
};

}  // namespace pvebus::bus
