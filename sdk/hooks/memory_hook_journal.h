#pragma once

#include <deque>

#include "sdk/hooks/hook_journal.h"

namespace pvebus::hooks {

// A journal that ends with the process: for services that shall leave nothing behind, and for tests.
class MemoryHookJournal final : public HookJournal {
 public:
  // Requires: remembered_events > 0.
  explicit MemoryHookJournal(size_t history_size, size_t remembered_events = 16384)
      : remembered_events_(remembered_events), history_(history_size) {}

  SucceededHooks SucceededFor(const std::string& event_id) override;
  void Record(const ChainRun& run) override;
  size_t Clear() override { return history_.Clear(); }
  void ForgetStatistics(const std::string& hook) override { history_.ForgetStatistics(hook); }
  std::vector<bus::v1::HookExecution> Executions(const ExecutionQuery& query) const override {
    return history_.Executions(query);
  }
  bus::v1::HookStatistics StatisticsOf(const std::string& hook) const override { return history_.StatisticsOf(hook); }
  std::vector<std::pair<std::string, KeptValue>> Kept() const override { return {}; }

 private:
  const size_t remembered_events_;
  HookHistory history_;
  Mutex mu_;
  std::map<std::string, SucceededHooks> succeeded_ ABSL_GUARDED_BY(mu_);
  std::deque<std::string> events_ ABSL_GUARDED_BY(mu_);  // of succeeded_, oldest first
};

}  // namespace pvebus::hooks
