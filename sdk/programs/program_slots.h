#pragma once

#include <stop_token>

#include "sdk/base/mutex.h"

namespace pvebus {

// How many programs may run at once. Any thread.
class ProgramSlots {
 public:
  // Requires: count >= 1.
  explicit ProgramSlots(int count) : free_(count) {}

  // Waits for one. False: `stop` was requested, and none is taken.
  bool Take(const std::stop_token& stop);
  void GiveBack();

 private:
  Mutex mu_;
  CondVar changed_;
  int free_ ABSL_GUARDED_BY(mu_);
};

}  // namespace pvebus
