#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "sdk/base/clock.h"
#include "sdk/base/mutex.h"

namespace pvebus::hooks {

// The hooks that took longer than their limit and have not returned yet. Owned by the chain. Any thread.
class Overruns {
 public:
  void Begin(const std::string& hook, const std::string& event_id);
  void End(const std::string& hook);

  // The event for which `hook` still runs; empty when it does not. (An event of the bus always has an id.)
  std::string EventOf(const std::string& hook) const;
  // Waits until there is none: the names of those that are left at `deadline`.
  std::vector<std::string> Wait(SteadyTime deadline) const;

 private:
  struct Running {
    int count = 0;  // more than one when several runs of the hook overran at the same time
    std::string event_id;
  };
  mutable Mutex mu_;
  mutable CondVar ended_;
  std::map<std::string, Running> running_ ABSL_GUARDED_BY(mu_);
};

}  // namespace pvebus::hooks
