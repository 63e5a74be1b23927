#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "bus-service/core/state_log.h"
#include "bus-service/store/statements.h"

namespace pvebus::bus {

// The rows of `deliveries` and `replays`. Knows no threads and no transactions. One thread at a time.
class DeliveryRows {
 public:
  explicit DeliveryRows(SqliteDatabase& database) : sql_(database) {}
  absl::Status Prepare();

  absl::Status Put(ListenerId listener, const DeliveryRecord& delivery);
  // The attempts that are there stay.
  absl::Status PutRedriven(ListenerId listener, DeliveryRecord delivery);
  absl::Status AddAttempt(ListenerId listener, Sequence sequence, AttemptRecord attempt);
  // Of events before `sequence`.
  absl::Status DropBefore(Sequence sequence);
  // At most so many of a listener's; false when there are no more.
  absl::StatusOr<bool> DropReplays(ListenerId listener, size_t most);
  // Of one event, by listener.
  absl::StatusOr<StateLog::Deliveries> OfEvent(Sequence sequence);
  // The next so many rows, ascending by event and listener, each for itself: a damaged one does not hide the others. Those of
  // events before `wanted` are visited only when they are damaged. `place` moves behind them; false when there were fewer.
  struct Place {
    int64_t sequence = INT64_MIN;  // none is there, unless it is damaged
    int64_t listener = INT64_MIN;
  };
  using Visit = std::function<void(absl::StatusOr<std::pair<ListenerId, DeliveryRecord>>)>;
  absl::StatusOr<bool> Scan(Place& place, size_t most, Sequence wanted, const Visit& visit);

  absl::Status PutReplay(const Replay& replay);
  absl::Status RemoveReplay(ListenerId listener, uint64_t number);
  // All of them, each for itself.
  absl::Status ForEachReplay(const std::function<void(absl::StatusOr<Replay>)>& visit);
  // After a number, ascending, at most so many.
  absl::StatusOr<std::vector<Replay>> ReplaysAfter(ListenerId listener, uint64_t number, size_t most);

 private:
  enum : size_t {
    kPut,
    kDropBefore,
    kOfEvent,
    kGet,
    kFrom,
    kPutReplay,
    kRemoveReplay,
    kDropReplays,
    kReplaysAfter,
    kAllReplays,
  };

  // A new one when there is none.
  absl::StatusOr<DeliveryRecord> Get(ListenerId listener, Sequence sequence);
  static absl::StatusOr<std::pair<ListenerId, DeliveryRecord>> Current(const SqliteStatement& row);
  static absl::StatusOr<Replay> CurrentReplay(const SqliteStatement& row);
  static absl::StatusOr<StateLog::Deliveries> Read(SqliteStatement& query);

  Statements sql_;
};

}  // namespace pvebus::bus
