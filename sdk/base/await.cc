#include "sdk/base/await.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace pvebus {

bool AwaitByAsking(const std::function<bool()>& holds, Duration every, SteadyTime deadline, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any nobody_notifies;
  std::unique_lock<std::mutex> lock(mutex);
  while (!holds()) {
    const SteadyTime now = std::chrono::steady_clock::now();
    if (stop.stop_requested() || now >= deadline) return false;
    nobody_notifies.wait_until(lock, stop, std::min(now + every, deadline), [] { return false; });
  }
  return true;
}

}  // namespace pvebus
