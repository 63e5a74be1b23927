#include "sdk/base/await.h"

#include <future>
#include <utility>

#include "gtest/gtest.h"

namespace pvebus {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

SteadyTime In(Duration time) { return std::chrono::steady_clock::now() + time; }

TEST(AwaitByAskingTest, WhatHoldsIsNotWaitedFor) {
  EXPECT_TRUE(AwaitByAsking([] { return true; }, hours(1), In(-seconds(1)), {}));
}

TEST(AwaitByAskingTest, AsksUntilItHolds) {
  int asked = 0;

  EXPECT_TRUE(AwaitByAsking([&] { return ++asked == 3; }, milliseconds(1), In(seconds(10)), {}));

  EXPECT_EQ(asked, 3);
}

TEST(AwaitByAskingTest, IsOverAtTheDeadline) {
  EXPECT_FALSE(AwaitByAsking([] { return false; }, hours(1), In(milliseconds(20)), {}));
}

TEST(AwaitByAskingTest, IsOverAtOnceWhenItIsToStop) {
  std::stop_source stop;
  std::promise<void> asked;
  bool told = false;
  auto held = std::async(std::launch::async, [&] {
    return AwaitByAsking(
        [&] {
          if (!std::exchange(told, true)) asked.set_value();
          return false;
        },
        hours(1), In(hours(1)), stop.get_token());
  });
  ASSERT_EQ(asked.get_future().wait_for(seconds(10)), std::future_status::ready) << "waited for the first question";

  stop.request_stop();

  ASSERT_EQ(held.wait_for(seconds(10)), std::future_status::ready) << "waited for the end of the wait";
  EXPECT_FALSE(held.get());
}

}  // namespace
}  // namespace pvebus
