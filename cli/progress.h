#pragma once

#include <thread>

#include "cli/console.h"
#include "sdk/base/clock.h"
#include "sdk/base/mutex.h"

namespace pvebus::cli {

// Says on a terminal, from two seconds on, that and for how long something is waited for; wipes that line away in the end.
// Silent when `err` is not a terminal. Owns its thread.
class Progress {
 public:
  Progress(std::string what, const Clock& clock, Console& console);
  ~Progress();

  // What is said from now on.
  void Say(std::string what);

 private:
  void Run();

  const Clock& clock_;
  Console& console_;
  Mutex mutex_;
  CondVar changed_;
  std::string what_ ABSL_GUARDED_BY(mutex_);
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace pvebus::cli
