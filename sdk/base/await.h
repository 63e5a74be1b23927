#pragma once

#include <functional>
#include <stop_token>

#include "sdk/base/clock.h"

namespace pvebus {

// Asks until it holds, at once and then `every` so often. False: it did not hold when `stop` was requested or `deadline` had
// passed. For what tells nobody that it changed, such as a lock of another process. Any thread.
bool AwaitByAsking(const std::function<bool()>& holds, Duration every, SteadyTime deadline, const std::stop_token& stop);

}  // namespace pvebus
