#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "sdk/base/clock.h"

namespace pvebus::bus {

// Callbacks due at a time, run by whoever owns the time: nothing happens until RunDue is called. One thread.
class TimerQueue {
 public:
  struct Id {
    SteadyTime due;
    uint64_t number = 0;  // 0: no timer
    explicit operator bool() const { return number != 0; }
  };

  Id Schedule(SteadyTime due, std::function<void()> callback) {
    const Id id{due, ++last_number_};
    timers_.emplace(std::make_pair(due, id.number), std::move(callback));
    return id;
  }

  // Does nothing when it ran already. Clears `id`.
  void Cancel(Id& id) {
    if (id) timers_.erase({id.due, id.number});
    id.number = 0;
  }

  void RunDue(SteadyTime now) {
    while (!timers_.empty() && timers_.begin()->first.first <= now) {
      auto callback = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
      callback();
    }
  }

  // The number that the next Schedule gives.
  uint64_t next_number() const { return last_number_ + 1; }
  // When RunDue has something to do; SteadyTime::max() for never.
  SteadyTime NextDue() const { return timers_.empty() ? SteadyTime::max() : timers_.begin()->first.first; }
  size_t size() const { return timers_.size(); }

 private:
  std::map<std::pair<SteadyTime, uint64_t>, std::function<void()>> timers_;
  uint64_t last_number_ = 0;
};

}  // namespace pvebus::bus
