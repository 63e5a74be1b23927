#include "cli/progress.h"

#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::cli {
namespace {

// A terminal that can be waited for.
class Terminal : public std::stringbuf {
 public:
  bool WaitFor(const std::string& text) {
    const SteadyTime deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    MutexLock lock(mutex_);
    while (shown_.find(text) == std::string::npos) {
      if (!changed_.WaitUntil(mutex_, deadline)) return false;
    }
    return true;
  }

 private:
  int sync() override {
    MutexLock lock(mutex_);
    shown_ = str();
    changed_.NotifyAll();
    return 0;
  }

  Mutex mutex_;
  CondVar changed_;
  std::string shown_ ABSL_GUARDED_BY(mutex_);
};

// Ten seconds behind: what is waited for has lasted so long when it begins.
class LateClock final : public Clock {
 public:
  SteadyTime SteadyNow() const override { return std::chrono::steady_clock::now() - std::chrono::seconds(10); }
  SystemTime SystemNow() const override { return std::chrono::system_clock::now(); }
};

TEST(ProgressTest, WhatTakesLongIsSaidAndWipedAway) {
  const LateClock clock;
  Terminal terminal;
  std::ostringstream out;
  std::ostream err(&terminal);
  Console console{out, err, true};
  {
    Progress progress("5 of 10", clock, console);
    EXPECT_TRUE(terminal.WaitFor("5 of 10, 2 s")) << "waited for the first line";
    progress.Say("6 of 10");
    EXPECT_TRUE(terminal.WaitFor("6 of 10, ")) << "waited for the next line";
  }

  EXPECT_THAT(terminal.str(), testing::EndsWith("\r\x1b[K"));
  EXPECT_EQ(out.str(), "");
}

TEST(ProgressTest, WhatIsNoTerminalAndWhatIsShortStaysClean) {
  const RealClock clock;
  std::ostringstream out, err;
  for (const bool terminal : {false, true}) {
    Console console{out, err, terminal};
    Progress progress("waiting", clock, console);
    progress.Say("still waiting");
  }

  EXPECT_EQ(err.str(), "");
}

}  // namespace
}  // namespace pvebus::cli
