#include "sdk/base/crew.h"

#include <atomic>
#include <deque>
#include <functional>
#include <set>

#include "gtest/gtest.h"

namespace pvebus {
namespace {

using std::chrono::seconds;

// A source that the test fills; leading waits for it, working runs what was there, at most `max_running` pieces at once.
class FakeDuty final : public Crew::Duty {
 public:
  explicit FakeDuty(bool quick, int max_running = 3) : quick_(quick), max_running_(max_running) {}

  bool Lead() override {
    MutexLock lock(mu_);
    EXPECT_FALSE(leading_) << "two leaders at once";
    leading_ = true;
    ++leads_;
    changed_.NotifyAll();
    while (source_.empty() && !closed_) changed_.Wait(mu_);
    leading_ = false;
    if (source_.empty()) return false;
    ready_.push_back(std::move(source_.front()));
    source_.pop_front();
    return true;
  }
  bool Ready() override {
    MutexLock lock(mu_);
    return !ready_.empty() && running_ < max_running_;
  }
  void Work() override {
    mu_.Lock();
    while (!ready_.empty() && running_ < max_running_) {
      auto task = std::move(ready_.front());
      ready_.pop_front();
      ++running_;
      mu_.Unlock();
      task();
      mu_.Lock();
      --running_;
      ++done_;
      workers_.insert(std::this_thread::get_id());
      changed_.NotifyAll();
    }
    mu_.Unlock();
  }
  bool Quick() override { return quick_; }

  void Push(std::function<void()> task) {
    MutexLock lock(mu_);
    source_.push_back(std::move(task));
    changed_.NotifyAll();
  }
  // And closes the source.
  void PushLast(std::function<void()> task) {
    MutexLock lock(mu_);
    source_.push_back(std::move(task));
    closed_ = true;
    changed_.NotifyAll();
  }
  void PushReady(std::function<void()> task) {
    MutexLock lock(mu_);
    ready_.push_back(std::move(task));
  }
  void Close() {
    MutexLock lock(mu_);
    closed_ = true;
    changed_.NotifyAll();
  }
  bool WaitDone(int count) {
    MutexLock lock(mu_);
    const SteadyTime deadline = std::chrono::steady_clock::now() + seconds(20);
    while (done_ < count) {
      if (!changed_.WaitUntil(mu_, deadline)) return false;
    }
    return true;
  }
  bool WaitLeads(int count) {
    MutexLock lock(mu_);
    const SteadyTime deadline = std::chrono::steady_clock::now() + seconds(20);
    while (leads_ < count) {
      if (!changed_.WaitUntil(mu_, deadline)) return false;
    }
    return true;
  }
  size_t workers() {
    MutexLock lock(mu_);
    return workers_.size();
  }

 private:
  const bool quick_;
  const int max_running_;
  Mutex mu_;
  CondVar changed_;
  std::deque<std::function<void()>> source_ ABSL_GUARDED_BY(mu_);
  std::deque<std::function<void()>> ready_ ABSL_GUARDED_BY(mu_);
  std::set<std::thread::id> workers_ ABSL_GUARDED_BY(mu_);
  bool leading_ ABSL_GUARDED_BY(mu_) = false;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  int running_ ABSL_GUARDED_BY(mu_) = 0;
  int done_ ABSL_GUARDED_BY(mu_) = 0;
  int leads_ ABSL_GUARDED_BY(mu_) = 0;
};

// Waits for others inside of a task, with a deadline.
class Gate {
 public:
  void Open() {
    MutexLock lock(mu_);
    open_ = true;
    changed_.NotifyAll();
  }
  bool Wait() {
    MutexLock lock(mu_);
    ++waiting_;
    changed_.NotifyAll();
    const SteadyTime deadline = std::chrono::steady_clock::now() + seconds(20);
    while (!open_) {
      if (!changed_.WaitUntil(mu_, deadline)) return false;
    }
    return true;
  }
  bool WaitForWaiting(int count) {
    MutexLock lock(mu_);
    const SteadyTime deadline = std::chrono::steady_clock::now() + seconds(20);
    while (waiting_ < count) {
      if (!changed_.WaitUntil(mu_, deadline)) return false;
    }
    return true;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  bool open_ ABSL_GUARDED_BY(mu_) = false;
  int waiting_ ABSL_GUARDED_BY(mu_) = 0;
};

class CrewTest : public testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(QuickAndSlow, CrewTest, testing::Bool(),
                         [](const auto& kind) { return kind.param ? "WorkIsQuick" : "WorkIsSlow"; });

TEST_P(CrewTest, EverythingFromTheSourceIsDone) {
  FakeDuty duty(GetParam());
  Crew crew(duty, 5);
  crew.Start();

  for (int i = 0; i < 5000; ++i) duty.Push([] {});

  EXPECT_TRUE(duty.WaitDone(5000)) << "waited for 5000 tasks";
  duty.Close();
  crew.Stop();
}

TEST_P(CrewTest, BlockedWorkStopsNeitherTheLeaderNorOtherWork) {
  FakeDuty duty(GetParam());
  Crew crew(duty, 5);
  crew.Start();
  Gate gate;

  for (int i = 0; i < 3; ++i) duty.Push([&gate] { EXPECT_TRUE(gate.Wait()); });

  EXPECT_TRUE(gate.WaitForWaiting(3)) << "waited for three tasks at once";
  EXPECT_TRUE(duty.WaitLeads(4)) << "waited for somebody to lead while all others are blocked";
  gate.Open();
  EXPECT_TRUE(duty.WaitDone(3)) << "waited for the three tasks to end";
  duty.Close();
  crew.Stop();
}

TEST_P(CrewTest, BlockedWorkStopsNothingAgainAndAgain) {
  FakeDuty duty(GetParam());
  Crew crew(duty, 5);
  crew.Start();

  for (int round = 1; round <= 20; ++round) {
    Gate gate;
    for (int i = 0; i < 2; ++i) duty.Push([&gate] { EXPECT_TRUE(gate.Wait()); });
    EXPECT_TRUE(gate.WaitForWaiting(2)) << "waited for two tasks at once in round " << round;
    duty.Push([] {});
    EXPECT_TRUE(duty.WaitDone(3 * round - 2)) << "waited for the third task in round " << round;
    gate.Open();
    EXPECT_TRUE(duty.WaitDone(3 * round)) << "waited for the end of round " << round;
  }

  duty.Close();
  crew.Stop();
}

TEST_P(CrewTest, AttendGetsWorkDoneWhileTheLeaderWaits) {
  FakeDuty duty(GetParam());
  Crew crew(duty, 2);
  crew.Start();
  ASSERT_TRUE(duty.WaitLeads(1)) << "waited for the leader";

  duty.PushReady([] {});
  crew.Attend();

  EXPECT_TRUE(duty.WaitDone(1)) << "waited for the work that came from outside";
  duty.Close();
  crew.Stop();
}

TEST_P(CrewTest, OneThreadLeadsAndWorksInTurn) {
  FakeDuty duty(GetParam());
  Crew crew(duty, 1);
  crew.Start();

  for (int i = 0; i < 100; ++i) duty.Push([] {});

  EXPECT_TRUE(duty.WaitDone(100)) << "waited for 100 tasks";
  EXPECT_EQ(duty.workers(), 1u);
  duty.Close();
  crew.Stop();
}

TEST_P(CrewTest, WorkIsDoneAfterTheSourceHasDriedUp) {
  FakeDuty duty(GetParam());
  Crew crew(duty, 3);
  crew.Start();
  duty.PushLast([] {});
  ASSERT_TRUE(duty.WaitDone(1)) << "waited for the last task of the source";

  duty.PushReady([] {});
  crew.Attend();

  EXPECT_TRUE(duty.WaitDone(2)) << "waited for work without a leader";
  crew.Stop();
}

}  // namespace
}  // namespace pvebus
