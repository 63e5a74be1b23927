#include "sdk/base/executor.h"

#include <atomic>
#include <future>
#include <latch>
#include <set>

#include "gtest/gtest.h"

namespace pvebus {
namespace {

TEST(ThreadPoolTest, TheDestructorDrainsWhatWasPosted) {
  std::atomic<int> ran = 0;
  {
    ThreadPool pool(3);
    for (int i = 0; i < 1000; ++i) pool.Post([&ran] { ++ran; });
  }
  EXPECT_EQ(ran, 1000);
}

TEST(ThreadPoolTest, TheDestructorDrainsWhatTasksPostMeanwhile) {
  std::atomic<int> ran = 0;
  std::function<void(Executor&, int)> chain = [&](Executor& pool, int left) {
    ++ran;
    if (left > 0) pool.Post([&, left] { chain(pool, left - 1); });
  };
  {
    ThreadPool pool(2);
    pool.Post([&] { chain(pool, 100); });
  }
  EXPECT_EQ(ran, 101);
}

TEST(ThreadPoolTest, TasksRunAtOnceOnAsManyThreadsAsThereAre) {
  std::latch all_there(3);
  ThreadPool pool(3);
  for (int i = 0; i < 3; ++i) pool.Post([&all_there] { all_there.arrive_and_wait(); });
  all_there.wait();  // the test's time limit is the deadline: waits for three tasks that wait for each other
}

TEST(ThreadPoolTest, OneThreadKeepsTheOrder) {
  std::vector<int> order;
  {
    ThreadPool pool(1);
    for (int i = 0; i < 100; ++i) pool.Post([&order, i] { order.push_back(i); });
  }
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[i], i);
}

TEST(ThreadPoolTest, ATasksCapturesDieBeforeItCountsAsDone) {
  auto held = std::make_shared<int>(1);
  std::weak_ptr<int> weak = held;
  {
    ThreadPool pool(1);
    pool.Post([held = std::move(held)] {});
  }
  EXPECT_TRUE(weak.expired());
}

TEST(InlineExecutorTest, RunsOnTheCallersThread) {
  InlineExecutor executor;
  std::thread::id ran_on;
  executor.Post([&ran_on] { ran_on = std::this_thread::get_id(); });
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

}  // namespace
}  // namespace pvebus
