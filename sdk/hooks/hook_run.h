#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "pvebus/bus/v1/listener_service.pb.h"
#include "sdk/base/clock.h"
#include "sdk/base/mutex.h"
#include "sdk/client/publisher.h"
#include "sdk/hooks/hook.h"
#include "sdk/hooks/hook_history.h"
#include "sdk/hooks/hook_journal.h"
#include "sdk/hooks/hook_workers.h"
#include "sdk/hooks/overruns.h"

namespace pvebus::hooks {

// What a run needs of its chain; all of it outlives the chain's workers.
struct HookRunNeeds {
  const Clock& clock;
  const client::Publisher* publisher;
  HookWorkers& workers;
  Overruns& overruns;
  HookJournal& journal;
};

// One event's way through the hooks. The caller of Execute waits; a worker runs hook after hook, and loses the rest of the run to
// another worker when a hook overruns. Shared by them; a worker with an overrunning hook keeps it alive longest.
class HookRun : public std::enable_shared_from_this<HookRun> {
 public:
  HookRun(std::vector<std::shared_ptr<const Hook>> hooks, const client::EventContext& context, HookRunNeeds needs);

  // Takes records that are complete while the run goes on.
  using Save = std::function<void(std::vector<HookRecord> records)>;

  // One record per hook. `save` gets the first of them beforehand when the run takes long, so that a process that is killed in
  // the middle of a slow hook does not repeat the ones before it. Call once.
  std::vector<HookRecord> Execute(const Save& save);

 private:
  // Waits until the run is done (true) or the current hook's time is over, and saves meanwhile.
  bool WaitForCurrent(const Save& save) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void StartWorker(size_t first) ABSL_LOCKS_EXCLUDED(mu_);
  void Work(size_t first, uint64_t turn);
  bool BeginHook(size_t index, const std::stop_source& stop);
  // False when the hook had overrun: the rest belongs to another worker.
  bool EndHook(size_t index, uint64_t turn, const HookOutcome& outcome);
  HookOutcome Call(size_t index, uint64_t turn, std::stop_source& stop);
  HookOutcome CallParts(size_t index, uint64_t turn, const client::EventContext& context);
  void GiveUpOn(size_t index) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Fill(HookRecord& record, const Hook& hook, const HookOutcome& outcome) const;

  const std::vector<std::shared_ptr<const Hook>> hooks_;
  const bus::v1::Delivery delivery_;  // a copy: overrunning hooks go on using it
  const std::stop_token caller_stop_;
  const HookRunNeeds needs_;

  Mutex mu_;
  CondVar changed_;
  std::vector<HookRecord> records_ ABSL_GUARDED_BY(mu_);
  size_t saved_ ABSL_GUARDED_BY(mu_) = 0;  // records that were given to Save
  bool done_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t turn_ ABSL_GUARDED_BY(mu_) = 0;  // counts the workers of this run; only the last one's results count
  size_t current_ ABSL_GUARDED_BY(mu_) = 0;
  std::stop_source current_stop_ ABSL_GUARDED_BY(mu_);
  SteadyTime current_start_ ABSL_GUARDED_BY(mu_);                      // by the injected clock
  SteadyTime deadline_ ABSL_GUARDED_BY(mu_) = SteadyTime::max();       // of the current hook, in real time; max: none runs
  SteadyTime waiting_until_ ABSL_GUARDED_BY(mu_) = SteadyTime::max();  // when the caller looks again
};

}  // namespace pvebus::hooks
