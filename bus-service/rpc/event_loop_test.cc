#include "bus-service/rpc/event_loop.h"

#include <future>
#include <thread>

#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A loop on a thread of its own.
class EventLoopTest : public testing::Test {
 protected:
  EventLoopTest() {
    grpc::ServerBuilder builder;
    loop_ = std::make_unique<EventLoop>(builder.AddCompletionQueue(), clock_);
    server_ = builder.BuildAndStart();
    thread_ = std::thread([this] { loop_->Run({[this] { ++turns_; }, [] { return SteadyTime::max(); }}); });
  }

  ~EventLoopTest() override {
    server_->Shutdown();
    loop_->Stop();
    thread_.join();
  }

  // Runs a task on the loop and waits for it.
  void Do(const std::function<void()>& task) {
    std::promise<void> done;
    loop_->Post([&] {
      task();
      done.set_value();
    });
    ASSERT_EQ(done.get_future().wait_for(seconds(10)), std::future_status::ready) << "a posted task never ran";
  }

  // Waits until everybody who is marked now has been flushed: a task may run in the turn in which it was posted.
  void AwaitTurns() {
    int begin = 0;
    Do([&] { begin = turns_; });
    const auto deadline = std::chrono::steady_clock::now() + seconds(10);
    for (int turns = begin; turns < begin + 2;) {
      Do([&] { turns = turns_; });
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "waited for two turns of the loop";
    }
  }

  // How far the loop's clock is behind the machine's.
  Duration Behind() const { return std::chrono::steady_clock::now() - clock_.SteadyNow(); }

  LoopClock clock_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<grpc::Server> server_;
  std::thread thread_;
  int turns_ = 0;  // the loop's thread
};

class Writer final : public Flushable {
 public:
  explicit Writer(std::function<void()> flush) : flush_(std::move(flush)) {}
  void Flush() override { flush_(); }

 private:
  std::function<void()> flush_;
};

TEST_F(EventLoopTest, TasksRunOnTheLoopInTheOrderOfTheirPosting) {
  std::vector<int> ran;
  for (int i = 0; i < 100; ++i) Do([&ran, i] { ran.push_back(i); });

  ASSERT_EQ(ran.size(), 100u);
  EXPECT_TRUE(std::is_sorted(ran.begin(), ran.end()));
}

TEST_F(EventLoopTest, ATimerRunsWhenItIsDueAlthoughNothingElseHappens) {
  std::promise<SteadyTime> ran;
  SteadyTime due;
  Do([&] {
    due = clock_.SteadyNow() + milliseconds(50);
    loop_->timers().Schedule(due, [&] { ran.set_value(clock_.SteadyNow()); });
  });

  auto future = ran.get_future();
  ASSERT_EQ(future.wait_for(seconds(10)), std::future_status::ready) << "the timer never ran";
  EXPECT_GE(future.get(), due);
}

TEST_F(EventLoopTest, WhoeverIsMarkedFlushesOncePerTurn) {
  int flushes = 0;
  std::promise<void> flushed;
  Writer writer([&] {
    if (++flushes == 1) flushed.set_value();
  });
  Do([&] {
    for (int i = 0; i < 10; ++i) loop_->MarkDirty(writer);
  });
  ASSERT_EQ(flushed.get_future().wait_for(seconds(10)), std::future_status::ready) << "waited for the end of the turn";
  Do([&] { EXPECT_EQ(flushes, 1); });
}

TEST_F(EventLoopTest, WhoeverMarksItselfWhileFlushingDoesNotKeepTheLoopFromOthers) {
  int flushes = 0;
  Writer greedy([&] {
    ++flushes;
    loop_->MarkDirty(greedy);
  });
  Do([&] { loop_->MarkDirty(greedy); });

  AwaitTurns();  // they pass although greedy never ends
  Do([&] { loop_->Forget(greedy); });

  int before = 0;
  Do([&] { before = flushes; });
  AwaitTurns();
  Do([&] { EXPECT_EQ(flushes, before); });
  EXPECT_GT(before, 0);
}

TEST_F(EventLoopTest, WhoeverIsForgottenWhileOthersFlushIsNotFlushed) {
  auto gone = std::make_unique<Writer>([] { FAIL() << "it does not exist any more"; });
  Writer first([&] {
    loop_->Forget(*gone);
    gone.reset();
  });
  Do([&] {
    loop_->MarkDirty(first);
    loop_->MarkDirty(*gone);
  });
  AwaitTurns();
  Do([&] { EXPECT_EQ(gone, nullptr); });
}

TEST_F(EventLoopTest, AStandstillTakesNoTimeOnItsClockSoNobodyLosesALease) {
  constexpr milliseconds kStandstill{1500};
  bool lease_ended = false;
  Do([&] { loop_->timers().Schedule(clock_.SteadyNow() + milliseconds(1000), [&] { lease_ended = true; }); });

  Do([&] { std::this_thread::sleep_for(kStandstill); });  // what a SIGSTOP does to the loop
  Do([] {});
  Do([&] { EXPECT_FALSE(lease_ended) << "the bus itself was away"; });

  EXPECT_GE(Behind(), kStandstill - milliseconds(100));
  EXPECT_LE(Behind(), kStandstill + milliseconds(500));
}

TEST(LoopClockTest, ItIsBehindTheMachineBySoMuchAsItWasAway) {
  LoopClock clock;
  const SteadyTime before = clock.SteadyNow();

  clock.WasAway(seconds(60));
  clock.WasAway(seconds(30));

  EXPECT_LT(clock.SteadyNow(), before - seconds(80));
  EXPECT_GE(clock.SteadyNow(), before - seconds(90));
  EXPECT_LT(clock.SystemNow() - std::chrono::system_clock::now(), seconds(1)) << "for display it is what it is";
}

}  // namespace
}  // namespace pvebus::bus
