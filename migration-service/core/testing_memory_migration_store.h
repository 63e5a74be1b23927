#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "migration-service/core/errors.h"
#include "migration-service/core/migration_store.h"
#include "sdk/base/mutex.h"
#include "sdk/base/recent_ids.h"

namespace pvebus::migration {

// A store that ends with the test. Any thread.
class MemoryMigrationStore final : public MigrationStore {
 public:
  explicit MemoryMigrationStore(size_t remembered_transactions = kRememberedTransactions) : counted_(remembered_transactions) {}

  // After that many calls that change something, the next `calls` of them return `failure` and change nothing.
  void FailNext(absl::Status failure, int after_calls = 0, int calls = 1) {
    MutexLock lock(mu_);
    fault_before_ = {std::move(failure), after_calls, calls};
  }
  // The same, but they have changed all that they should: as a disk that says no after it has written.
  void FailNextAfter(absl::Status failure, int after_calls = 0, int calls = 1) {
    MutexLock lock(mu_);
    fault_after_ = {std::move(failure), after_calls, calls};
  }
  // Calls that only read.
  void FailNextRead(absl::Status failure, int after_calls = 0, int calls = 1) {
    MutexLock lock(mu_);
    read_fault_ = {std::move(failure), after_calls, calls};
  }

  absl::StatusOr<MigrationRecord> Load() override {
    MutexLock lock(mu_);
    if (absl::Status status = read_fault_.Next(); !status.ok()) return status;
    return record_;
  }
  absl::Status TakeOver(const MigrationRecord& record) override {
    MutexLock lock(mu_);
    if (absl::Status status = fault_before_.Next(); !status.ok()) return status;
    if (record_ != MigrationRecord{} || step_back_) return StateNotNew();
    record_ = record;
    if (record.last_change) changes_[record.last_change->number] = *record.last_change;
    if (!record.last_transaction_event_id.empty()) counted_.Insert(record.last_transaction_event_id);
    return fault_after_.Next();
  }

  absl::Status PutChange(const PhaseChange& change) override {
    MutexLock lock(mu_);
    if (absl::Status status = fault_before_.Next(); !status.ok()) return status;
    if (changes_.contains(change.number)) return absl::InternalError("two changes have one number");
    if (Find(change.event_id)) return absl::InternalError("two changes came of one event");
    changes_[change.number] = change;
    record_.last_change = change;
    record_.phase_transactions = 0;
    record_.reports = {};
    step_back_.reset();
    return fault_after_.Next();
  }
  absl::StatusOr<std::vector<PhaseChange>> Changes(uint64_t before, size_t limit) override {
    MutexLock lock(mu_);
    if (absl::Status status = read_fault_.Next(); !status.ok()) return status;
    std::vector<PhaseChange> changes;
    for (auto it = changes_.rbegin(); it != changes_.rend() && changes.size() < limit; ++it) {
      if (before == 0 || it->first < before) changes.push_back(it->second);
    }
    return changes;
  }
  absl::StatusOr<std::optional<PhaseChange>> ChangeOf(const std::string& event_id) override {
    MutexLock lock(mu_);
    if (absl::Status status = read_fault_.Next(); !status.ok()) return status;
    return Find(event_id);
  }

  absl::StatusOr<bool> CountTransaction(const std::string& event_id) override {
    MutexLock lock(mu_);
    if (absl::Status status = fault_before_.Next(); !status.ok()) return status;
    if (!counted_.Insert(event_id)) return false;
    ++record_.transactions;
    ++record_.phase_transactions;
    record_.last_transaction_event_id = event_id;
    if (absl::Status status = fault_after_.Next(); !status.ok()) return status;
    return true;
  }
  absl::Status PutReports(const ReportCounts& reports) override {
    MutexLock lock(mu_);
    if (absl::Status status = fault_before_.Next(); !status.ok()) return status;
    record_.reports = reports;
    return fault_after_.Next();
  }

  absl::Status PutStepBack(const PhaseOrder& order) override {
    MutexLock lock(mu_);
    if (absl::Status status = fault_before_.Next(); !status.ok()) return status;
    step_back_ = order;
    return fault_after_.Next();
  }
  absl::StatusOr<std::optional<PhaseOrder>> StepBack() override {
    MutexLock lock(mu_);
    if (absl::Status status = read_fault_.Next(); !status.ok()) return status;
    return step_back_;
  }
  absl::Status RemoveStepBack(const std::string& event_id) override {
    MutexLock lock(mu_);
    if (absl::Status status = fault_before_.Next(); !status.ok()) return status;
    if (step_back_ && step_back_->event_id == event_id) step_back_.reset();
    return fault_after_.Next();
  }

 private:
  struct Fault {
    absl::Status failure;
    int after_calls = 0;
    int calls = 0;

    absl::Status Next() {
      if (calls == 0 || after_calls-- > 0) return absl::OkStatus();
      --calls;
      return failure;
    }
  };

  std::optional<PhaseChange> Find(const std::string& event_id) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    for (const auto& [number, change] : changes_) {
      if (!event_id.empty() && change.event_id == event_id) return change;
    }
    return std::nullopt;
  }

  Mutex mu_;
  Fault fault_before_ ABSL_GUARDED_BY(mu_);
  Fault fault_after_ ABSL_GUARDED_BY(mu_);
  Fault read_fault_ ABSL_GUARDED_BY(mu_);
  MigrationRecord record_ ABSL_GUARDED_BY(mu_);
  std::map<uint64_t, PhaseChange> changes_ ABSL_GUARDED_BY(mu_);
  RecentIds counted_ ABSL_GUARDED_BY(mu_);
  std::optional<PhaseOrder> step_back_ ABSL_GUARDED_BY(mu_);
};

}  // namespace pvebus::migration
