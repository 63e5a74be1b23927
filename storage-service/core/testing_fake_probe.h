#pragma once

#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "sdk/base/mutex.h"
#include "storage-service/core/storage_state.h"

namespace pvebus::storage {

// Measures what the test says: unless said otherwise, all endpoints of a storage are reachable, and it is mounted and logged in.
// Any thread.
class FakeProbe final : public StorageProbe {
 public:
  void Set(const std::string& storage_id, Reachability reachability) {
    MutexLock lock(mutex_);
    reachabilities_[storage_id] = reachability;
  }
  // Called in each Measure, when it has measured and before it returns; `number` counts from 1.
  void OnMeasured(std::function<void(int number)> hook) {
    MutexLock lock(mutex_);
    hook_ = std::move(hook);
  }
  // The ids of each call.
  std::vector<std::vector<std::string>> calls() const {
    MutexLock lock(mutex_);
    return calls_;
  }

  std::vector<Measurement> Measure(const std::vector<Storage>& storages, std::stop_token) override {
    std::vector<Measurement> measured;
    std::function<void(int)> hook;
    int number = 0;
    {
      MutexLock lock(mutex_);
      calls_.emplace_back();
      for (const Storage& storage : storages) {
        calls_.back().push_back(storage.storage_id);
        measured.push_back(MeasureOne(storage));
      }
      hook = hook_;
      number = static_cast<int>(calls_.size());
    }
    if (hook) hook(number);
    return measured;
  }

 private:
  Measurement MeasureOne(const Storage& storage) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto said = reachabilities_.find(storage.storage_id);
    const Reachability reachability = said == reachabilities_.end() ? Reachability::kReachable : said->second;
    Measurement measurement{.mounted = true, .mount_point = "/mnt/pve/" + storage.storage_id, .logged_in = true};
    for (const Endpoint& endpoint : storage.endpoints) {
      measurement.endpoints.push_back({.endpoint = endpoint, .reachability = reachability, .address = endpoint.host});
    }
    return measurement;
  }

  mutable Mutex mutex_;
  std::map<std::string, Reachability> reachabilities_ ABSL_GUARDED_BY(mutex_);
  std::function<void(int)> hook_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::vector<std::string>> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pvebus::storage
