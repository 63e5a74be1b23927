#pragma once

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "bus-service/core/state_log.h"
#include "bus-service/store/statements.h"

namespace pvebus::bus {

// The rows of `listeners`, `interests` and `progress`. Knows no threads and no transactions. One thread at a time.
class ListenerRows {
 public:
  // What is damaged is told one by one, and skipped.
  using Problem = std::function<void(const absl::Status&)>;

  explicit ListenerRows(SqliteDatabase& database) : sql_(database) {}
  absl::Status Prepare();

  absl::Status PutListener(ListenerId listener, const ListenerSnapshot& snapshot);
  absl::Status PutInterest(ListenerId listener, const Interest& interest);
  absl::Status PutProgress(ListenerId listener, const Progress& progress);
  absl::Status Drop(ListenerId listener);

  // Every listener with its interests and progress, by id; those with a damaged or missing part are told and left out.
  std::vector<Recovery::Listener> Load(const Problem& problem);

 private:
  enum : size_t {
    kPutListener,
    kPutInterest,
    kPutProgress,
    kDropListener,
    kDropInterests,
    kDropProgress,
    kReadListeners,
    kReadInterests,
    kReadProgress,
    kReadOrphans,
  };

  absl::Status LoadInterests(Recovery::Listener& listener);
  absl::Status LoadProgress(Recovery::Listener& listener, bool& found);

  Statements sql_;
};

}  // namespace pvebus::bus
