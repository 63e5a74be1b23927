#include "migration-service/upkeep/route_map_upkeep.h"

namespace pvebus::migration {

RouteMapUpkeep::RouteMapUpkeep(const Parts& parts, const BackoffPolicy& waits)
    : parts_(parts), thread_([this, waits](const std::stop_token& stop) { Run(stop, waits); }) {}

RouteMapUpkeep::~RouteMapUpkeep() {
  thread_.request_stop();
  MutexLock lock(mu_);
  changed_.NotifyAll();
}

void RouteMapUpkeep::Run(const std::stop_token& stop, const BackoffPolicy& waits) {
  Backoff backoff(waits, parts_.random);
  while (!stop.stop_requested()) {
    {
      const SteadyTime until = std::chrono::steady_clock::now() + backoff.Next();
      MutexLock lock(mu_);
      while (!stop.stop_requested() && changed_.WaitUntil(mu_, until)) {
      }
    }
    if (stop.stop_requested()) return;
    if (parts_.map.status().error.empty() || Bring(stop)) backoff.Reset();
  }
}

bool RouteMapUpkeep::Bring(const std::stop_token& stop) {
  RouteMapUpdate update;
  Phase phase{};
  // Meanwhile an event may bring it to a later phase, before this one is written.
  do {
    phase = parts_.state.status().phase;
    update = parts_.map.Bring(phase, stop);
  } while (phase != parts_.state.status().phase && !stop.stop_requested());
  if (update.state == RouteMapUpdate::State::kFailed) return false;
  parts_.logger.Info("route_map=%s phase=%s state=current message=\"it had failed before\"", parts_.map.status().path,
                     PhaseName(phase));
  return true;
}

}  // namespace pvebus::migration
