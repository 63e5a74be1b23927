#include "sdk/hooks/memory_hook_journal.h"

namespace pvebus::hooks {

SucceededHooks MemoryHookJournal::SucceededFor(const std::string& event_id) {
  MutexLock lock(mu_);
  const auto found = succeeded_.find(event_id);
  return found == succeeded_.end() ? SucceededHooks() : found->second;
}

void MemoryHookJournal::Record(const ChainRun& run) {
  history_.Record(run);
  MutexLock lock(mu_);
  for (const HookRecord& record : run.records) {
    if (!run.Succeeded(record)) continue;
    const auto [event, is_new] = succeeded_.try_emplace(run.event_id);
    event->second.try_emplace(record.SuccessName(), run.attempt);
    if (is_new) events_.push_back(run.event_id);
  }
  while (events_.size() > remembered_events_) {
    succeeded_.erase(events_.front());
    events_.pop_front();
  }
}

}  // namespace pvebus::hooks
