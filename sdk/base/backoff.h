#pragma once

#include <cstdint>

#include "sdk/base/clock.h"
#include "sdk/base/random.h"

namespace pvebus {

struct BackoffPolicy {
  Duration minimum{std::chrono::milliseconds(100)};
  Duration maximum{std::chrono::seconds(5)};
  double multiplier = 2;
  // Each wait is drawn from (1 - jitter .. 1 + jitter) x the nominal one and never exceeds maximum, so that those who failed
  // together do not come back together.
  double jitter = 0.1;
};

// How long to wait before the next attempt: minimum * multiplier^n, capped, with jitter. One thread.
class Backoff {
 public:
  // Requires: 0 <= minimum <= maximum, multiplier >= 1, 0 <= jitter <= 1; `random` outlives this.
  Backoff(const BackoffPolicy& policy, Random& random);

  // The wait before the next attempt; the one after it is longer.
  Duration Next();
  // It worked: the next wait is the first one again.
  void Reset();

 private:
  const BackoffPolicy policy_;
  Random& random_;
  double nominal_;  // nanoseconds
};

}  // namespace pvebus
