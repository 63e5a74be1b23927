#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

#include "sdk/base/clock.h"

namespace pvebus {

// What poll() is told to wait until `deadline`; SteadyTime::max() is none. Rounded up, so that the deadline has passed when poll
// says that the time is over. Any thread.
inline int PollTimeout(SteadyTime deadline) {
  if (deadline == SteadyTime::max()) return -1;
  const Duration left = std::max(deadline - std::chrono::steady_clock::now(), Duration::zero());
  const int64_t milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::min<int64_t>(milliseconds, std::numeric_limits<int>::max()));
}

}  // namespace pvebus
