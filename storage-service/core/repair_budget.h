#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "sdk/base/clock.h"
#include "sdk/base/mutex.h"

namespace pvebus::storage {

// How often each storage's VLAN may be put right unasked: two who disagree about a link must not loop. Once it is used up the
// VLAN is contested, and stays so until the budget is given back. Any thread.
class RepairBudget {
 public:
  static constexpr int kMostRepairs = 5;
  static constexpr std::chrono::minutes kWithin{10};

  // Requires: the clock outlives this.
  explicit RepairBudget(const Clock& clock) : clock_(clock) {}

  // One attempt, whether it works or not. False: there is none left.
  bool Take(const std::string& storage_id) ABSL_LOCKS_EXCLUDED(mu_);
  // The last one that was taken was not used. Requires: Take was true.
  void PutBack(const std::string& storage_id) ABSL_LOCKS_EXCLUDED(mu_);
  bool IsContested(const std::string& storage_id) const ABSL_LOCKS_EXCLUDED(mu_);
  void GiveBack(const std::string& storage_id) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Spent {
    std::deque<SteadyTime> repairs;  // oldest first
    bool contested = false;
  };

  const Clock& clock_;
  mutable Mutex mu_;
  std::map<std::string, Spent> spent_ ABSL_GUARDED_BY(mu_);
};

}  // namespace pvebus::storage
