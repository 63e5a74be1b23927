#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
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
  std::string resource;                  // what the event was about, or the hook acted on: "container/101"
  SystemTime from = SystemTime::min();   // those that began then or later
  SystemTime until = SystemTime::max();  // and before this
  uint64_t before_execution_id = 0;      // 0: from the newest
  size_t limit = 100;
};

// A change of something that a service keeps.
struct KeptChange {
  enum class Kind {
    kAdd,     // `number` is added to what was there, `text` replaces it
    kNewest,  // replaces what was there, unless that has a greater number
    kErase,
  };
  Kind kind = Kind::kAdd;
  std::string name;
  int64_t number = 0;
  std::string text;
};

// The name by which it is remembered that a part of a hook has succeeded. No name of a hook has a '/'.
std::string SuccessName(const std::string& hook, std::string_view part);

// What one hook, or one part of it, did in one run of a chain.
struct HookRecord {
  bus::v1::HookResult result;
  std::vector<bus::v1::HookResult> details;
  // Set: the record is of only that part of the hook: an execution, and maybe a success, but no run of the hook for statistics.
  std::optional<std::string> part;
  // The hook's parts, which have records of their own: for the answer only.
  std::vector<bus::v1::HookResult> recorded_parts;
  SystemTime start{};
  Duration duration{};
  bool ran = false;          // false: it was not called; does not count in the durations
  bool interrupted = false;  // the delivery was given up meanwhile: whatever the hook answered, it may have stopped halfway
  std::vector<KeptChange> kept;
  std::string refusal;  // as HookOutcome

  // By which it is remembered that this has succeeded.
  std::string SuccessName() const;
};

// One run of a chain for one delivery.
struct ChainRun {
  std::string event_id;
  uint32_t attempt = 0;
  std::string resource;  // what the event was about
  bool dry_run = false;
  std::vector<HookRecord> records;

  // True when the hook of `record`, or the part of it, has done its work for the event and need not run again.
  bool Succeeded(const HookRecord& record) const;
};

// Counts and durations of one hook.
struct HookCounts {
  uint64_t total = 0;
  uint64_t succeeded = 0;
  uint64_t failed = 0;
  uint64_t skipped = 0;
  uint64_t measured = 0;  // those with a duration
  Duration sum{};
  Duration min{};
  Duration max{};

  void Add(const HookRecord& record);
};

// What the hooks of a chain did, in memory: a bounded list of executions, and statistics that clearing leaves alone. Any thread.
class HookHistory {
 public:
  explicit HookHistory(size_t size) : size_(size) {}

  // What an earlier process did. Requires: nothing was recorded yet; oldest execution first.
  void Restore(std::vector<bus::v1::HookExecution> executions, uint64_t last_execution_id,
               std::map<std::string, HookCounts> counts);

  // The new executions, one per record and detail.
  std::vector<bus::v1::HookExecution> Record(const ChainRun& run);
  std::vector<bus::v1::HookExecution> Executions(const ExecutionQuery& query) const;
  size_t Clear();
  uint64_t last_execution_id() const;

  bus::v1::HookStatistics StatisticsOf(const std::string& hook) const;
  void ForgetStatistics(const std::string& hook);

 private:
  const size_t size_;
  mutable Mutex mu_;
  uint64_t last_execution_id_ ABSL_GUARDED_BY(mu_) = 0;
  std::deque<bus::v1::HookExecution> executions_ ABSL_GUARDED_BY(mu_);  // oldest first
  std::map<std::string, HookCounts> counts_ ABSL_GUARDED_BY(mu_);
};

}  // namespace pvebus::hooks
