#pragma once

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "bus-service/core/state_log.h"
#include "bus-service/store/statements.h"

namespace pvebus::bus {

// What a dead letter costs to keep, in bytes.
size_t BytesOf(const DeadLetter& letter);

// The rows of `dead_letters`. Knows no threads and no transactions. One thread at a time.
class DeadLetterRows {
 public:
  explicit DeadLetterRows(SqliteDatabase& database) : sql_(database) {}
  absl::Status Prepare();

  // True when it is a new one.
  absl::StatusOr<bool> Put(const DeadLetter& letter);
  // True when there was one.
  absl::StatusOr<bool> Remove(uint64_t id);
  // How many there were.
  struct Dropped {
    uint64_t count = 0;
    bool more = false;
  };
  absl::StatusOr<Dropped> DropSome(ListenerId listener, size_t most, uint64_t most_bytes);

  // Null event: there is no such row.
  absl::StatusOr<DeadLetter> Get(uint64_t id);
  // Every row's key, listener and bytes, ascending, without reading the rows.
  absl::Status ForEachKey(const std::function<void(uint64_t id, ListenerId listener, uint64_t bytes)>& key);

 private:
  enum : size_t { kPut, kExists, kRemove, kOfListener, kGet, kKeys };

  Statements sql_;
};

}  // namespace pvebus::bus
