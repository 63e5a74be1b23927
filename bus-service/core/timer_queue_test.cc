#include "bus-service/core/timer_queue.h"

#include <vector>

#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

using std::chrono::seconds;

constexpr SteadyTime At(int second) { return SteadyTime(seconds(second)); }

TEST(TimerQueueTest, CallbacksRunInTheOrderInWhichTheyAreDue) {
  TimerQueue timers;
  std::vector<int> ran;
  timers.Schedule(At(3), [&] { ran.push_back(3); });
  timers.Schedule(At(1), [&] { ran.push_back(1); });
  timers.Schedule(At(2), [&] { ran.push_back(2); });

  timers.RunDue(At(2));

  EXPECT_EQ(ran, (std::vector<int>{1, 2}));
  EXPECT_EQ(timers.NextDue(), At(3));
}

TEST(TimerQueueTest, CallbacksDueAtTheSameMomentRunInTheOrderOfTheirScheduling) {
  TimerQueue timers;
  std::vector<int> ran;
  for (int i = 0; i < 5; ++i) timers.Schedule(At(1), [&ran, i] { ran.push_back(i); });

  timers.RunDue(At(1));

  EXPECT_EQ(ran, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(TimerQueueTest, ACancelledTimerNeverRunsAndItsIdIsCleared) {
  TimerQueue timers;
  bool ran = false;
  auto id = timers.Schedule(At(1), [&] { ran = true; });

  timers.Cancel(id);
  timers.RunDue(At(2));

  EXPECT_FALSE(ran);
  EXPECT_FALSE(id);
  EXPECT_EQ(timers.NextDue(), SteadyTime::max());
}

TEST(TimerQueueTest, CancellingATimerThatRanDoesNothingToOthers) {
  TimerQueue timers;
  int ran = 0;
  auto first = timers.Schedule(At(1), [&] { ++ran; });
  timers.RunDue(At(1));
  timers.Schedule(At(1), [&] { ++ran; });

  timers.Cancel(first);
  timers.RunDue(At(1));

  EXPECT_EQ(ran, 2);
}

TEST(TimerQueueTest, ACallbackMayScheduleAndCancelOthers) {
  TimerQueue timers;
  std::vector<int> ran;
  auto victim = timers.Schedule(At(2), [&] { ran.push_back(2); });
  timers.Schedule(At(1), [&] {
    ran.push_back(1);
    timers.Cancel(victim);
    timers.Schedule(At(1), [&] { ran.push_back(11); });
  });

  timers.RunDue(At(2));

  EXPECT_EQ(ran, (std::vector<int>{1, 11}));
  EXPECT_EQ(timers.size(), 0u);
}

}  // namespace
}  // namespace pvebus::bus
