#include "sdk/service/stop_signal.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <future>

#include "gtest/gtest.h"

namespace pvebus::service {
namespace {

TEST(StopSignalTest, SignalIsToldByName) {
  BlockStopSignals();
  std::promise<std::string> told;
  std::future<std::string> signal = told.get_future();
  StopSignalThread thread([&](const std::string& name) { told.set_value(name); });

  kill(getpid(), SIGTERM);

  ASSERT_EQ(signal.wait_for(std::chrono::seconds(10)), std::future_status::ready) << "waited 10 s for on_stop";
  EXPECT_EQ(signal.get(), "SIGTERM");
}

TEST(StopSignalTest, DestructionEndsTheWaitWithoutASignal) {
  BlockStopSignals();
  bool told = false;

  {
    StopSignalThread thread([&](const std::string&) { told = true; });
  }

  EXPECT_FALSE(told);
}

TEST(StopSignalTest, WaitReturnsTheNameOfAPendingSignal) {
  BlockStopSignals();
  kill(getpid(), SIGINT);

  EXPECT_EQ(WaitForStopSignal(), "SIGINT");
}

}  // namespace
}  // namespace pvebus::service
