#pragma once

#include <chrono>

namespace pvebus {

using SteadyTime = std::chrono::steady_clock::time_point;
using SystemTime = std::chrono::system_clock::time_point;
using Duration = std::chrono::nanoseconds;

// Where the time comes from, so that tests decide it. Any thread. Steady time measures, system time is for display.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual SteadyTime SteadyNow() const = 0;
  virtual SystemTime SystemNow() const = 0;
};

// The machine's clock.
class RealClock final : public Clock {
 public:
  SteadyTime SteadyNow() const override { return std::chrono::steady_clock::now(); }
  SystemTime SystemNow() const override { return std::chrono::system_clock::now(); }
};

// A clock that stands still until a test moves it. One thread.
class FakeClock final : public Clock {
 public:
  SteadyTime SteadyNow() const override { return steady_; }
  SystemTime SystemNow() const override { return system_; }
  void Advance(Duration by) {
    steady_ += by;
    system_ += std::chrono::duration_cast<SystemTime::duration>(by);
  }

 private:
  SteadyTime steady_{std::chrono::hours(1000)};
  SystemTime system_{std::chrono::seconds(1'700'000'000)};
};

}  // namespace pvebus
