#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "sdk/base/mutex.h"
#include "storage-service/core/storage_store.h"
#include "storage-service/core/testing_faults.h"

namespace pvebus::storage {

// A store that ends with the test. Any thread, but for faults.
class MemoryStorageStore final : public StorageStore {
 public:
  MemoryStorageStore() = default;
  // Requires: outlives this.
  explicit MemoryStorageStore(Faults& faults) : faults_(&faults) {}

  // What all changes return from now on, and change nothing unless it is OK.
  void FailWith(absl::Status failure) {
    MutexLock lock(mu_);
    failure_ = std::move(failure);
  }

  absl::StatusOr<std::vector<StorageVlanRecord>> Vlans() override {
    MutexLock lock(mu_);
    if (absl::Status status = Read(); !status.ok()) return status;
    std::vector<StorageVlanRecord> records;
    for (const auto& [id, record] : vlans_) records.push_back(record);
    return records;
  }
  absl::Status PutVlan(const StorageVlanRecord& record, const std::vector<Notice>& notices) override {
    MutexLock lock(mu_);
    return Do([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      vlans_[record.vlan.storage_id] = record;
      Keep(notices);
    });
  }
  absl::Status RemoveVlan(const std::string& storage_id, const std::vector<Notice>& notices) override {
    MutexLock lock(mu_);
    return Do([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      vlans_.erase(storage_id);
      Keep(notices);
    });
  }

  absl::StatusOr<std::vector<std::pair<std::string, StorageState>>> ToldStates() override {
    MutexLock lock(mu_);
    if (absl::Status status = Read(); !status.ok()) return status;
    return std::vector<std::pair<std::string, StorageState>>(told_.begin(), told_.end());
  }
  absl::Status PutToldStates(const std::vector<std::pair<std::string, StorageState>>& states,
                             const std::vector<Notice>& notices) override {
    MutexLock lock(mu_);
    return Do([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      for (const auto& [id, state] : states) told_[id] = state;
      Keep(notices);
    });
  }
  absl::Status ForgetToldState(const std::string& storage_id) override {
    MutexLock lock(mu_);
    return Do([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { told_.erase(storage_id); });
  }

  absl::StatusOr<std::vector<Notice>> Notices() override {
    MutexLock lock(mu_);
    if (absl::Status status = Read(); !status.ok()) return status;
    return notices_;
  }
  absl::Status RemoveNotice(int64_t number) override {
    MutexLock lock(mu_);
    return Do([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      std::erase_if(notices_, [&](const Notice& notice) { return notice.number == number; });
    });
  }

 private:
  absl::Status Read() const { return faults_ == nullptr ? absl::OkStatus() : faults_->Read(); }
  template <typename Change>
  absl::Status Do(Change change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    // Not a copy: the reference count of a shared one is not seen by ThreadSanitizer.
    if (!failure_.ok()) return absl::Status(failure_.code(), failure_.message());
    const auto changed = [&] {
      change();
      return absl::OkStatus();
    };
    return faults_ == nullptr ? changed() : faults_->Do(changed);
  }
  void Keep(const std::vector<Notice>& notices) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    for (Notice notice : notices) {
      notice.number = ++last_number_;
      notice.request_id = absl::StrFormat("request-%d", notice.number);
      notices_.push_back(std::move(notice));
    }
  }

  Faults* const faults_ = nullptr;
  Mutex mu_;
  absl::Status failure_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, StorageVlanRecord> vlans_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, StorageState> told_ ABSL_GUARDED_BY(mu_);
  std::vector<Notice> notices_ ABSL_GUARDED_BY(mu_);
  int64_t last_number_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace pvebus::storage
