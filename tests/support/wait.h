#pragma once

#include <chrono>
#include <string_view>
#include <thread>

#include "absl/strings/str_format.h"
#include "gtest/gtest.h"

namespace pvebus::testing {

inline constexpr std::chrono::milliseconds kSoon = std::chrono::seconds(10);

// Waits until `predicate` holds; fails the test, saying `what` was awaited, when it does not within `timeout`.
// A bounded poll, for state that can only be asked for; what can be signalled is waited for on a condition.
template <typename Predicate>
bool WaitFor(std::string_view what, Predicate predicate, std::chrono::milliseconds timeout = kSoon) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!predicate()) {
    if (std::chrono::steady_clock::now() >= deadline) {
      ADD_FAILURE() << absl::StrFormat("waited %d ms for %s", timeout.count(), what);
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

// Lets time pass where time itself is what the test is about: a handler's work, a silence, a lease.
inline void LetPass(std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }

}  // namespace pvebus::testing
