#pragma once

#include <functional>
#include <memory>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "bus-service/core/publication.h"

namespace pvebus::bus {

// Collects the listeners' answers for publishers that wait: knows for each publication which rows still owe one, and ends a wait
// when the policy is satisfied or its time is over. One thread.
class Gather {
 public:
  // Tells whether a row that is kQueued can move now: its listener is connected and not paused.
  using Available = std::function<bool(const ListenerRow&)>;

  // Requires: `timers` outlives this.
  Gather(TimerQueue& timers, Available available) : timers_(timers), available_(std::move(available)) {}

  // Counts the rows of a publication that has just been matched.
  void Begin(Publication& publication);
  // Calls `done` when `policy` is satisfied or `until` has come, but with OK never before the event is durable; at once if it is.
  // Not satisfied in time is OK too: the rows say where they stand.
  void Wait(Publication& publication, WaitPolicy policy, SteadyTime until, std::function<void(absl::Status)> done,
            const void* caller = nullptr);
  // The caller waits for nothing any more: ends its waits as CANCELLED.
  void Leave(Publication& publication, const void* caller);
  // The only way to change a row's state; set the row's other fields before.
  void SetState(Publication& publication, ListenerRow& row, DeliveryState state);
  // A listener came, went, was paused or resumed: looks at its waiting rows again.
  void AvailabilityChanged(const Subscription& subscription);
  // Ends every wait of a publication.
  void Fail(Publication& publication, const absl::Status& status);
  // Ends every wait there is with what is known, or with `unknown` where the event is not durable; from here on nobody waits.
  void FinishAll(const absl::Status& unknown);

  size_t waiting() const { return waiters_; }

  // True when there is nothing to wait for.
  static bool Satisfied(const Publication& publication, WaitPolicy policy);

 private:
  // Somebody waits for its listeners.
  static bool IsWatched(const Publication& publication);
  bool IsOpen(const ListenerRow& row) const;
  void Recount(Publication& publication, ListenerRow& row);
  void CompleteSatisfied(Publication& publication);
  void WaitIsOver(Publication& publication, uint64_t timer);
  void Complete(Publication& publication, absl::FunctionRef<bool(const Publication::Waiter&)> which, const absl::Status& status);

  TimerQueue& timers_;
  const Available available_;
  absl::flat_hash_set<Publication*> waiting_;
  size_t waiters_ = 0;
  bool finished_ = false;
};

}  // namespace pvebus::bus
