#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sdk/base/clock.h"
#include "sdk/base/mutex.h"
#include "storage-service/core/storage_config.h"
#include "storage-service/core/storage_state.h"
#include "storage-service/core/storage_store.h"

namespace pvebus::storage {

// What one refresh found.
struct Refreshed {
  StorageState before = StorageState::kUnknown;
  StorageStatus now;
};

// The storages of the node as storage.cfg names them, and each one's last status. A state that differs from the one that was
// told last is a Notice, once; the first state of a storage is none. Owned by main. Any thread; Refresh blocks, and refreshes
// of several threads run at once. Of two checks of one storage the one that began later counts.
class StorageBoard {
 public:
  // Requires: all of them outlive it. `on_notice` is called, without a lock, when there are new notices.
  StorageBoard(std::string node, StorageProbe& probe, StorageStore& store, const Clock& clock, std::function<void()> on_notice);

  // What was told before this process. Call first.
  absl::Status Restore();

  // Storages that are gone are forgotten, changed ones are unknown until they are checked. The ids of new and changed ones.
  std::vector<std::string> SetConfig(StorageConfig config);
  // Why the file could not be read; the last configuration stays in force. Empty: it could.
  void SetConfigError(std::string error);

  struct Listing {
    std::vector<StorageStatus> storages;  // in the order of the file
    std::vector<StorageWarning> warnings;
    std::string config_error;
  };
  Listing List() const;
  // NOT_FOUND STORAGE_NOT_FOUND, naming the nearest.
  absl::StatusOr<StorageStatus> Get(std::string_view storage_id) const;

  // Measures these, all of them when `storage_ids` is empty; in the order of the file. Ids that are gone meanwhile are left out.
  // `parent_event_id`: the event that is the cause; empty: none. The error is the store's: the check counts nevertheless, and the
  // next one tells what this one could not. CANCELLED: `stop` was requested, and nothing counts.
  struct Outcome {
    std::vector<Refreshed> refreshed;
    absl::Status stored;
  };
  Outcome Refresh(const std::vector<std::string>& storage_ids, std::string_view parent_event_id, const std::stop_token& stop);

 private:
  struct Entry {
    StorageStatus status;
    uint64_t check = 0;  // the number of the check that it is from; 0: none yet
  };
  struct Check {
    uint64_t number = 0;
    std::vector<Storage> storages;
  };
  using ToldStates = std::map<std::string, StorageState>;

  Check Begin(const std::vector<std::string>& storage_ids);
  std::vector<StorageStatus> Measure(const std::vector<Storage>& storages, const std::stop_token& stop);
  // Takes in what a check found.
  std::vector<Refreshed> Conclude(const Check& check, std::vector<StorageStatus> found);
  // Stores the states that differ from what was told, with their notices: also those that an earlier check could not store.
  // Whether there are notices is set in `noticed`.
  absl::Status Tell(uint64_t check, std::string_view parent_event_id, bool& noticed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(telling_);
  void ForgetGone() ABSL_EXCLUSIVE_LOCKS_REQUIRED(telling_);
  Entry* Find(std::string_view storage_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string node_;
  StorageProbe& probe_;
  StorageStore& store_;
  const Clock& clock_;
  const std::function<void()> on_notice_;

  // Held while the store is written, and for nothing else: what is told is told in the order in which it came about. Before
  // mutex_.
  Mutex telling_;
  ToldStates told_ ABSL_GUARDED_BY(telling_);

  mutable Mutex mutex_;
  std::vector<Entry> entries_ ABSL_GUARDED_BY(mutex_);  // in the order of the file
  std::vector<StorageWarning> warnings_ ABSL_GUARDED_BY(mutex_);
  std::string config_error_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_check_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace pvebus::storage
