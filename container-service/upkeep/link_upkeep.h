#pragma once

#include <functional>
#include <stop_token>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "container-service/core/container_watch.h"
#include "sdk/base/log.h"
#include "sdk/base/mutex.h"

namespace pvebus::container {

// What is done when links change. Called on the thread of the upkeep, without a lock.
struct LinkDuties {
  std::function<absl::StatusOr<NodeObservation>()> observe;
  // What happened will be told, also over a crash, when this has returned OK.
  std::function<absl::Status(const std::vector<Occurrence>&)> tell;
  std::function<absl::Status(const KnownContainers&)> keep;
};

// The thread that looks at the node's links when they change, and tells what happened to containers. What fails (a disk that is
// full) is tried again until it works: nothing is forgotten. Owned by main.
class LinkUpkeep {
 public:
  // Begins at once. `first`: the node was never watched before; what runs is taken as known. Requires: logger outlives it.
  LinkUpkeep(LinkDuties duties, ContainerWatch watch, bool first, Logger& logger);
  ~LinkUpkeep();

  // Links changed. Any thread.
  void OnLinksChanged() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Run(const std::stop_token& stop);
  // False: it is time to end.
  bool Wait(const std::stop_token& stop, SteadyTime until) ABSL_LOCKS_EXCLUDED(mu_);
  // When to look again.
  SteadyTime Look();
  absl::Status Conclude(const NodeObservation& observation);
  absl::Status TellOf(const std::vector<WatchConclusion>& conclusions);
  void LogState(const absl::Status& status);

  const LinkDuties duties_;
  Logger& logger_;
  ContainerWatch watch_;  // of the thread
  bool first_;            // of the thread
  bool unsaved_ = false;  // of the thread: what is known is newer than what was kept
  bool failing_ = false;  // of the thread

  Mutex mu_;
  CondVar changed_;
  bool due_ ABSL_GUARDED_BY(mu_) = false;
  std::jthread thread_;  // last: begins when all else is there
};

}  // namespace pvebus::container
