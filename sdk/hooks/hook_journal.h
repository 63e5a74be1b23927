#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sdk/hooks/hook_history.h"

namespace pvebus::hooks {

// Something that a service keeps beside its history: a count, a text.
struct KeptValue {
  int64_t number = 0;
  std::string text;
};

// The attempt that did it, for each hook and each part of a hook (SuccessName) that has succeeded for an event.
using SucceededHooks = std::map<std::string, uint32_t>;

// What the hooks of a chain did, so that nothing is done twice for one event. Owned by the chain. Any thread; Record, Clear and
// ForgetStatistics may wait for a disk.
class HookJournal {
 public:
  virtual ~HookJournal() = default;

  virtual SucceededHooks SucceededFor(const std::string& event_id) = 0;
  // Returns when what was recorded survives the process (as far as this journal can keep anything).
  virtual void Record(const ChainRun& run) = 0;
  // Forgets the executions, nothing else; how many there were.
  virtual size_t Clear() = 0;
  virtual void ForgetStatistics(const std::string& hook) = 0;

  // Newest first.
  virtual std::vector<bus::v1::HookExecution> Executions(const ExecutionQuery& query) const = 0;
  virtual bus::v1::HookStatistics StatisticsOf(const std::string& hook) const = 0;
  // What was kept by the time the journal was opened, in the order of its last change.
  virtual std::vector<std::pair<std::string, KeptValue>> Kept() const = 0;
};

}  // namespace pvebus::hooks
