// When a publisher gets its answer, and what is in it.
#include "bus-service/core/bus.h"
#include "bus-service/core/testing/bus_harness.h"
#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(BusGatherTest, ListenersThatAckRejectAndHangAreThreeRowsSortedByName) {
  BusHarness bus;
  auto& ack = bus.Connect("b-ack");
  auto& reject = bus.Connect("c-reject");
  bus.Connect("a-hang");
  const auto published = bus.Publish({.id = "x", .wait = seconds(3)});
  ack.Ack("x");
  reject.DeadLetter("x");
  EXPECT_FALSE(published->done());

  bus.Advance(seconds(3));

  ASSERT_EQ(published->calls, 1);
  ASSERT_EQ(published->rows.size(), 3u);
  EXPECT_EQ(published->rows[0].listener, "a-hang");
  EXPECT_EQ(published->rows[0].state, DeliveryState::kInFlight);
  EXPECT_EQ(published->rows[0].reason, "NO_ANSWER_YET");
  EXPECT_EQ(published->rows[1].listener, "b-ack");
  EXPECT_EQ(published->rows[1].state, DeliveryState::kSucceeded);
  EXPECT_EQ(published->rows[2].listener, "c-reject");
  EXPECT_EQ(published->rows[2].state, DeliveryState::kDeadLettered);
  EXPECT_EQ(published->rows[2].message, "the test said no");
}

TEST(BusGatherTest, DurableAnswersAtOnce) {
  BusHarness bus;
  bus.Connect("a");
  const auto published = bus.Publish({.wait_policy = WaitPolicy::kDurable});
  EXPECT_TRUE(published->done());
}

TEST(BusGatherTest, FirstAttemptAnswersWhenEachHasAnsweredOnceWhateverItSaid) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  auto& b = bus.Connect("b");
  auto& c = bus.Connect("c");
  const auto published = bus.Publish({.id = "x"});
  a.Retry("x");
  b.Release("x");
  EXPECT_FALSE(published->done());
  c.Skip("x");

  ASSERT_TRUE(published->done());
  EXPECT_EQ(published->At("a").state, DeliveryState::kRetryScheduled);
  EXPECT_EQ(published->At("b").state, DeliveryState::kQueued) << "released: pending";
  EXPECT_EQ(published->At("c").state, DeliveryState::kSkipped);
}

TEST(BusGatherTest, SettledWaitsForRetriesToo) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  const auto published = bus.Publish({.id = "x", .wait_policy = WaitPolicy::kSettled});
  a.Retry("x", seconds(2));
  bus.Advance(seconds(2));
  EXPECT_FALSE(published->done());
  a.Ack("x");

  ASSERT_TRUE(published->done());
  EXPECT_EQ(published->At("a").state, DeliveryState::kSucceeded);
  EXPECT_EQ(published->At("a").attempt, 2u);
}

TEST(BusGatherTest, TheWaitEndsToTheMillisecond) {
  BusHarness bus;
  bus.Connect("a");
  const SteadyTime begin = bus.clock.SteadyNow();
  const auto published = bus.Publish({.wait = milliseconds(1234)});

  bus.Advance(minutes(1));

  EXPECT_EQ(published->calls, 1);
  EXPECT_EQ(published->time, begin + milliseconds(1234));
}

TEST(BusGatherTest, NoWaitIsAnsweredInTheNextTurn) {
  BusHarness bus;
  bus.Connect("a");
  const auto published = bus.Publish({.wait = Duration(0)});
  bus.Advance(Duration(0));
  EXPECT_TRUE(published->done());
}

TEST(BusGatherTest, WhoeverIsAwayIsNotWaitedForUnlessRequired) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  a.Break();
  const auto published = bus.Publish({.key = "x"});
  ASSERT_TRUE(published->done());
  EXPECT_EQ(published->At("a").state, DeliveryState::kOffline);
  EXPECT_EQ(published->At("a").reason, "LISTENER_OFFLINE");

  const auto required = bus.Publish({.id = "required", .key = "y", .required = {"a"}});
  EXPECT_FALSE(required->done());
  a.Connect();
  a.Ack("required");
  EXPECT_TRUE(required->done());
}

TEST(BusGatherTest, WhoeverLeavesMeanwhileIsNotWaitedForAnyMore) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  const auto published = bus.Publish({.id = "x"});
  const auto required = bus.Publish({.id = "y", .key = "y", .required = {"a"}});
  a.Break();

  ASSERT_TRUE(published->done());
  EXPECT_EQ(published->At("a").state, DeliveryState::kOffline);
  EXPECT_FALSE(required->done());
  a.Connect();
  a.AckAll();
  EXPECT_TRUE(required->done());
}

TEST(BusGatherTest, WhoeverIsPausedMeanwhileIsNotWaitedForUnlessItHasTheEvent) {
  BusHarness bus;
  auto& a = bus.Connect("a", 1);
  const auto in_flight = bus.Publish({.id = "x", .key = "x"});
  const auto queued = bus.Publish({.id = "y", .key = "y"});
  ASSERT_TRUE(bus.bus.registry().Pause("a", "", "").ok());

  EXPECT_FALSE(in_flight->done());
  ASSERT_TRUE(queued->done());
  EXPECT_EQ(queued->At("a").state, DeliveryState::kPaused);
  EXPECT_EQ(queued->At("a").reason, "LISTENER_PAUSED");
  a.Ack("x");
  EXPECT_TRUE(in_flight->done());
}

TEST(BusGatherTest, AQueuedRowSaysWhatItWaitsBehind) {
  BusHarness bus;
  bus.Connect("a", 1);
  bus.Publish({.key = "x"});
  const auto published = bus.Publish({.key = "y", .wait = seconds(1)});
  bus.Advance(seconds(1));

  EXPECT_EQ(published->At("a").state, DeliveryState::kQueued);
  EXPECT_EQ(published->At("a").reason, "NOT_SENT_YET");
}

TEST(BusGatherTest, NobodyMatchingIsAnsweredAtOnce) {
  BusHarness bus;
  auto& a = bus.Add("a");
  a.registration.event_types = 1u << static_cast<int>(EventType::kContainerStarted);
  a.Connect();
  const auto published = bus.Publish();
  ASSERT_TRUE(published->done());
  EXPECT_TRUE(published->rows.empty());
  EXPECT_FALSE(bus.Publish({.type = EventType::kContainerStarted})->done());
}

TEST(BusGatherTest, AResultAskedForLaterWaitsForThoseWhoCanAnswerNow) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  a.Break();
  bus.Publish({.id = "x"});
  a.registration.max_in_flight = 1;
  a.Connect();
  const auto result = bus.GetResult("x", WaitPolicy::kFirstAttempt, seconds(5));

  EXPECT_FALSE(result->done());
  a.Ack("x");
  EXPECT_TRUE(result->done());
}

TEST(BusGatherTest, AResultAskedForLaterDoesNotWaitForAQueuedRowOfAListenerThatHasLeft) {
  BusHarness bus;
  auto& a = bus.Connect("a", 1);
  bus.Publish({.id = "x", .key = "x", .wait_policy = WaitPolicy::kDurable});
  bus.Publish({.id = "y", .key = "y", .wait_policy = WaitPolicy::kDurable});
  a.Break();

  const auto result = bus.GetResult("y", WaitPolicy::kFirstAttempt, seconds(5));

  EXPECT_TRUE(result->done()) << "y was queued when a left";
}

TEST(BusGatherTest, AResultAskedForLaterWaitsForAQueuedRowOfAListenerThatIsBack) {
  BusHarness bus;
  auto& a = bus.Connect("a", 1);
  a.Break();
  bus.Publish({.id = "x", .key = "x", .wait_policy = WaitPolicy::kDurable});
  bus.Publish({.id = "y", .key = "y", .wait_policy = WaitPolicy::kDurable});
  a.Connect();

  const auto result = bus.GetResult("y", WaitPolicy::kFirstAttempt, seconds(5));

  EXPECT_FALSE(result->done());
  a.Ack("x");
  a.Ack("y");
  EXPECT_TRUE(result->done());
}

TEST(BusGatherTest, ManyMayWaitForOneEventEachInItsOwnWay) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  const auto first = bus.Publish({.id = "x"});
  const auto durable = bus.Publish({.id = "x", .wait_policy = WaitPolicy::kDurable});
  const auto settled = bus.GetResult("x", WaitPolicy::kSettled, minutes(1));
  const auto brief = bus.GetResult("x", WaitPolicy::kSettled, seconds(1));

  EXPECT_TRUE(durable->done());
  bus.Advance(seconds(1));
  EXPECT_TRUE(brief->done());
  EXPECT_FALSE(first->done());
  a.Retry("x", seconds(1));
  EXPECT_TRUE(first->done());
  EXPECT_FALSE(settled->done());
  bus.Advance(seconds(1));
  a.Ack("x");
  EXPECT_TRUE(settled->done());
  for (const auto& one : {first, durable, settled, brief}) EXPECT_EQ(one->calls, 1);
}

TEST(BusGatherTest, TenListenersWhoTakeTwoSecondsEachAreAnsweredInTwoSeconds) {
  BusHarness bus;
  std::vector<ScriptedListener*> listeners;
  for (int i = 0; i < 10; ++i) listeners.push_back(&bus.Connect("listener-" + std::to_string(i)));
  const SteadyTime begin = bus.clock.SteadyNow();
  const auto published = bus.Publish({.id = "x"});
  bus.Advance(seconds(2));
  for (auto* listener : listeners) listener->Ack("x");

  ASSERT_TRUE(published->done());
  EXPECT_EQ(published->time - begin, seconds(2));
  EXPECT_EQ(published->rows.size(), 10u);
}

}  // namespace
}  // namespace pvebus::bus
