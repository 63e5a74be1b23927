#pragma once

#include <chrono>
#include <stop_token>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "network-service/core/network_applier.h"
#include "sdk/base/clock.h"
#include "sdk/base/log.h"
#include "sdk/base/mutex.h"

namespace pvebus::network {

// Lets a NetworkApplier do what nobody asks it for: first what an earlier process left, then what is due, and what others change.
// Owned by main. Any thread; works on one of its own.
class ApplyUpkeep {
 public:
  // What did not work is tried again after `pause`. Requires: both outlive it.
  ApplyUpkeep(NetworkApplier& applier, Logger& logger, Duration pause = std::chrono::seconds(1));
  ~ApplyUpkeep() { Stop(); }
  ApplyUpkeep(const ApplyUpkeep&) = delete;
  ApplyUpkeep& operator=(const ApplyUpkeep&) = delete;

  void Start();
  // Waits for what it is doing: a reload that runs is not cut off.
  void Stop();
  // The applier's next deadline may be sooner than it was.
  void OnDeadline() ABSL_LOCKS_EXCLUDED(mu_);
  // The files of the configuration may be others.
  void OnFiles() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Run(const std::stop_token& stop);
  void Recover(const std::stop_token& stop);
  // False: it is over.
  bool WaitForWork(const std::stop_token& stop) ABSL_LOCKS_EXCLUDED(mu_);
  void WaitAWhile(const std::stop_token& stop) ABSL_LOCKS_EXCLUDED(mu_);
  bool TakeFiles() ABSL_LOCKS_EXCLUDED(mu_);

  NetworkApplier& applier_;
  Logger& logger_;
  const Duration pause_;

  Mutex mu_;
  CondVar changed_;
  bool deadline_changed_ ABSL_GUARDED_BY(mu_) = false;
  bool files_changed_ ABSL_GUARDED_BY(mu_) = false;
  std::jthread thread_;  // last: it ends before the others go
};

}  // namespace pvebus::network
