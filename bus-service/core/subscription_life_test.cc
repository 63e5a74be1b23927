// What a subscription does across sessions: loss, pause, start positions, catching up.
#include "bus-service/core/subscription.h"
#include "bus-service/core/testing/bus_harness.h"
#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

using Ids = std::vector<std::string>;
using std::chrono::minutes;
using std::chrono::seconds;

StartPosition At(Sequence sequence) {
  StartPosition position;
  position.kind = StartPosition::Kind::kSequence;
  position.sequence = sequence;
  return position;
}

StartPosition At(StartPosition::Kind kind) {
  StartPosition position;
  position.kind = kind;
  return position;
}

void PublishMany(BusHarness& bus, int count) {
  for (int i = 0; i < count; ++i) bus.Publish({.key = "k" + std::to_string(i), .wait_policy = WaitPolicy::kDurable});
}

// Sessions.

TEST(SubscriptionLifeTest, WhatALostSessionHadComesAgainAndCountsNoAttempt) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});

  a.Break();
  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kOffline);
  a.Connect();

  EXPECT_EQ(a.Times("x"), 2);
  EXPECT_EQ(a.Newest("x").delivery.attempt, 1u);
  EXPECT_NE(a.received[0].delivery.delivery_id, a.received[1].delivery.delivery_id);
}

TEST(SubscriptionLifeTest, AnEventInFlightInThreeLostSessionsIsDeadLettered) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  const auto published = bus.Publish({.id = "x", .wait_policy = WaitPolicy::kSettled, .wait = seconds(30)});
  bus.Publish({.id = "behind"});

  for (int i = 0; i < 2; ++i) {
    a.Break();
    a.Connect();
    ASSERT_EQ(bus.State("x", "a"), DeliveryState::kInFlight);
  }
  a.Break();

  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kDeadLettered);
  EXPECT_EQ(bus.Row("x", "a").reason, "LOST_SESSIONS");
  EXPECT_TRUE(published->done());
  a.Connect();
  EXPECT_EQ(a.Held(), (Ids{"behind"})) << "its key flows again";
}

TEST(SubscriptionLifeTest, SessionsThatOnlyWaitedForAnEventLoseNothing) {
  BusHarness bus;
  auto& a = bus.Connect("a", 1);
  bus.Publish({.id = "x"});
  bus.Publish({.id = "y"});

  for (int i = 0; i < 3; ++i) {
    a.Break();
    a.Connect();
  }

  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kDeadLettered);
  EXPECT_EQ(bus.State("y", "a"), DeliveryState::kInFlight);
}

TEST(SubscriptionLifeTest, ADrainCountsNoLostSession) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});

  for (int i = 0; i < 10; ++i) {
    a.Drain();
    a.Release("x");
    ASSERT_TRUE(a.ended && a.ended->ok());
    a.Connect();
    ASSERT_EQ(a.Held(), (Ids{"x"})) << "round " << i;
  }
}

TEST(SubscriptionLifeTest, AttemptsAreKeptAcrossSessions) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});
  a.Retry("x", seconds(1));

  a.Break();
  bus.Advance(seconds(2));
  a.Connect();

  EXPECT_EQ(a.Newest("x").delivery.attempt, 2u);
}

TEST(SubscriptionLifeTest, TheBackoffOfAnEarlierSessionIsKept) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});
  a.Retry("x", minutes(5));

  a.Break();
  a.Connect();
  EXPECT_EQ(a.Held(), Ids{});
  bus.Advance(minutes(5));

  EXPECT_EQ(a.Held(), (Ids{"x"}));
}

TEST(SubscriptionLifeTest, AnAnswerForADeliveryOfAnEarlierSessionIsUnknown) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});
  const uint64_t old_id = a.Newest("x").delivery.delivery_id;
  a.Break();
  a.Connect();

  a.Settle(a.SettlementFor(old_id, Settlement::Outcome::kAcknowledge));

  EXPECT_EQ(a.confirmations.back().status, ConfirmationStatus::kUnknownDelivery);
  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kInFlight);
}

TEST(SubscriptionLifeTest, TheBacklogWaitsForAListenerThatIsAway) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  a.Break();
  PublishMany(bus, 500);
  EXPECT_EQ(a.subscription().backlog(), 500u);

  a.Connect();
  a.AckAll();

  EXPECT_EQ(a.received.size(), 500u);
  EXPECT_EQ(a.subscription().backlog(), 0u);
}

// Pause.

TEST(SubscriptionLifeTest, APausedListenerGetsNothingNewAndMayAnswerWhatItHas) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x", .key = "x"});
  ASSERT_TRUE(bus.bus.registry().Pause("a", "maintenance", "").ok());
  const auto published = bus.Publish({.id = "y", .key = "y"});

  ASSERT_TRUE(published->done());
  EXPECT_EQ(published->At("a").state, DeliveryState::kPaused);
  a.Ack("x");
  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kSucceeded);
  EXPECT_EQ(a.Times("y"), 0);

  ASSERT_TRUE(bus.bus.registry().Resume("a", "").ok());
  bus.Flush();
  EXPECT_EQ(a.Held(), (Ids{"y"}));
}

TEST(SubscriptionLifeTest, ARetryThatIsDueDuringAPauseComesAfterIt) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});
  a.Retry("x", seconds(1));
  ASSERT_TRUE(bus.bus.registry().Pause("a", "", "").ok());

  bus.Advance(minutes(1));
  EXPECT_EQ(a.Times("x"), 1);
  ASSERT_TRUE(bus.bus.registry().Resume("a", "").ok());
  bus.Flush();

  EXPECT_EQ(a.Times("x"), 2);
}

TEST(SubscriptionLifeTest, APauseSurvivesTheSession) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  ASSERT_TRUE(bus.bus.registry().Pause("a", "", "").ok());
  a.Break();
  a.Connect();
  bus.Publish({.id = "x"});

  EXPECT_EQ(a.received.size(), 0u);
  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kPaused);
}

// Where a new listener begins.

TEST(SubscriptionLifeTest, ANewListenerBeginsAtLatest) {
  BusHarness bus;
  PublishMany(bus, 3);
  auto& a = bus.Connect("a");
  bus.Publish({.id = "new"});

  EXPECT_EQ(a.Order(), (Ids{"new"}));
  EXPECT_EQ(a.registered.at(0).next_sequence, 4u);
}

TEST(SubscriptionLifeTest, ALateJoinerCanBeginAtTheEarliestEvent) {
  BusHarness bus;
  PublishMany(bus, 3);
  auto& a = bus.Add("a");
  a.registration.start_position = At(StartPosition::Kind::kEarliest);
  a.Connect();

  EXPECT_EQ(a.Order(), (Ids{"e1", "e2", "e3"}));
  EXPECT_EQ(a.registered.at(0).next_sequence, 1u);
  EXPECT_EQ(a.subscription().backlog(), 3u);
  EXPECT_TRUE(bus.GetResult("e1")->rows.empty()) << "the publish's result is about those who were there";
  a.AckAll();
  EXPECT_EQ(a.subscription().backlog(), 0u);
}

TEST(SubscriptionLifeTest, ALateJoinerCanBeginAtASequence) {
  BusHarness bus;
  PublishMany(bus, 3);
  auto& a = bus.Add("a");
  a.registration.start_position = At(2);
  a.Connect();

  EXPECT_EQ(a.Order(), (Ids{"e2", "e3"}));
}

TEST(SubscriptionLifeTest, ALateJoinerCanBeginAtATime) {
  BusHarness bus;
  bus.Publish();
  bus.Advance(seconds(10));
  bus.Publish();
  bus.Advance(seconds(10));
  bus.Publish();
  auto& a = bus.Add("a");
  a.registration.start_position = At(StartPosition::Kind::kTime);
  a.registration.start_position.time = bus.clock.SystemNow() - seconds(10);
  auto& later = bus.Add("later");
  later.registration.start_position = At(StartPosition::Kind::kTime);
  later.registration.start_position.time = bus.clock.SystemNow() + seconds(1);
  a.Connect();
  later.Connect();

  EXPECT_EQ(a.Order(), (Ids{"e2"})) << "same key";
  a.AckAll();
  EXPECT_EQ(a.Order(), (Ids{"e2", "e3"}));
  EXPECT_EQ(later.received.size(), 0u);
}

TEST(SubscriptionLifeTest, ATimeOnAnEmptyJournalIsNow) {
  BusHarness bus;
  auto& a = bus.Add("a");
  a.registration.start_position = At(StartPosition::Kind::kTime);
  a.Connect();
  bus.Publish();

  EXPECT_EQ(a.Order(), (Ids{"e1"}));
}

TEST(SubscriptionLifeTest, ALateJoinerGetsOnlyWhatItWants) {
  BusHarness bus;
  bus.Publish({.id = "x", .key = "x", .subject = "yes"});
  bus.Publish({.id = "y", .key = "y", .subject = "no"});
  auto& a = bus.Add("a");
  a.registration.start_position = At(StartPosition::Kind::kEarliest);
  a.registration.filter = *Filter::ParseForEvents("subject = yes");
  a.Connect();

  EXPECT_EQ(a.Order(), (Ids{"x"}));
  EXPECT_EQ(a.subscription().backlog(), 1u);
}

TEST(SubscriptionLifeTest, AStartPositionIsOnlyForANewName) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});
  a.Ack("x");
  a.Break();
  a.registration.start_position = At(StartPosition::Kind::kEarliest);
  a.Connect();

  EXPECT_EQ(a.Times("x"), 1);
  EXPECT_TRUE(a.registered.back().resumed);
}

// Caught up.

TEST(SubscriptionLifeTest, CaughtUpComesOnceAfterEverythingThatWasThereHasBeenSent) {
  BusHarness bus;
  PublishMany(bus, 5);
  auto& a = bus.Add("a");
  a.registration.start_position = At(StartPosition::Kind::kEarliest);
  a.registration.max_in_flight = 2;
  a.Connect();

  EXPECT_EQ(a.caught_up.size(), 0u);
  a.Ack("e1");
  a.Ack("e2");
  EXPECT_EQ(a.caught_up.size(), 0u);
  a.Ack("e3");
  ASSERT_EQ(a.caught_up.size(), 1u) << "e5 is out";
  EXPECT_EQ(a.caught_up[0].sequence, 5u);
  a.AckAll();
  bus.Publish();
  EXPECT_EQ(a.caught_up.size(), 1u);
}

TEST(SubscriptionLifeTest, AListenerWithNothingToCatchUpIsToldAtOnce) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  EXPECT_EQ(a.caught_up.size(), 1u);
}

TEST(SubscriptionLifeTest, CaughtUpWaitsForAnEventBehindAnotherOfItsKey) {
  BusHarness bus;
  bus.Publish({.id = "x1"});
  bus.Publish({.id = "x2"});
  auto& a = bus.Add("a");
  a.registration.start_position = At(StartPosition::Kind::kEarliest);
  a.Connect();

  EXPECT_EQ(a.caught_up.size(), 0u);
  a.Ack("x1");
  EXPECT_EQ(a.caught_up.size(), 1u);
}

}  // namespace
}  // namespace pvebus::bus
