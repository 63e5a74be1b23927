#include "sdk/hooks/overruns.h"

namespace pvebus::hooks {

void Overruns::Begin(const std::string& hook, const std::string& event_id) {
  MutexLock lock(mu_);
  Running& running = running_[hook];
  ++running.count;
  running.event_id = event_id.empty() ? "?" : event_id;
}

void Overruns::End(const std::string& hook) {
  MutexLock lock(mu_);
  const auto found = running_.find(hook);
  if (--found->second.count > 0) return;
  running_.erase(found);
  ended_.NotifyAll();
}

std::string Overruns::EventOf(const std::string& hook) const {
  MutexLock lock(mu_);
  const auto found = running_.find(hook);
  return found == running_.end() ? "" : found->second.event_id;
}

std::vector<std::string> Overruns::Wait(SteadyTime deadline) const {
  MutexLock lock(mu_);
  while (!running_.empty() && ended_.WaitUntil(mu_, deadline)) {
  }
  std::vector<std::string> names;
  for (const auto& [name, running] : running_) names.push_back(name);
  return names;
}

}  // namespace pvebus::hooks
