#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "pvebus/bus/v1/hook.pb.h"
#include "pvebus/bus/v1/types.pb.h"
#include "sdk/base/clock.h"
#include "sdk/base/mutex.h"

namespace pvebus::hooks {

// Which executions to list. Empty fields match all.
struct ExecutionQuery {
  std::string hook;
  bus::v1::HookState state = bus::v1::HOOK_STATE_UNSPECIFIED;
  std::string event_id;
  std::string resource;              // what the event was about: "container/101"
  uint64_t before_execution_id = 0;  // 0: from the newest
  size_t limit = 100;
};

// One hook's part in one run of a chain.
struct HookRecord {
  bus::v1::HookResult result;
  SystemTime start{};
  Duration duration{};
  bool ran = false;  // false: refused because it was still running; does not count in the durations
};

// What the hooks of a chain did: a bounded list of executions, and statistics that nothing clears. Owned by the chain. Any
// thread.
class HookHistory {
 public:
  explicit HookHistory(size_t size) : size_(size) {}

  void Record(const std::string& event_id, uint32_t attempt, const std::string& resource, const std::vector<HookRecord>& records);
  std::vector<bus::v1::HookExecution> Executions(const ExecutionQuery& query) const;
  size_t Clear();

  bus::v1::HookStatistics StatisticsOf(const std::string& hook) const;
  void ForgetStatistics(const std::string& hook);

 private:
  struct Counts {
    uint64_t total = 0;
    uint64_t succeeded = 0;
    uint64_t failed = 0;
    uint64_t skipped = 0;
    uint64_t measured = 0;
    Duration sum{};
    Duration min{};
    Duration max{};
  };
  void Count(const HookRecord& record) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const size_t size_;
  mutable Mutex mu_;
  uint64_t last_execution_id_ ABSL_GUARDED_BY(mu_) = 0;
  std::deque<bus::v1::HookExecution> executions_ ABSL_GUARDED_BY(mu_);  // oldest first
  std::map<std::string, Counts> counts_ ABSL_GUARDED_BY(mu_);
};

}  // namespace pvebus::hooks
