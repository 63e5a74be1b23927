// How operators move and delete listeners.
#include "bus-service/core/subscription.h"
#include "bus-service/core/testing/bus_harness.h"
#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

using Ids = std::vector<std::string>;
using std::chrono::hours;
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

TEST(SubscriptionSeekTest, ASeekForwardSkipsWhatItJumpsOver) {
  BusHarness bus;
  auto& a = bus.Connect("a", 1);
  PublishMany(bus, 400);

  const auto outcome = bus.Seek("a", At(399), false, "");
  bus.Flush();

  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->skipped, 398u);
  EXPECT_EQ(bus.State("e1", "a"), DeliveryState::kSkipped);
  EXPECT_EQ(bus.State("e398", "a"), DeliveryState::kSkipped);
  EXPECT_EQ(bus.Row("e398", "a").reason, "SEEK");
  EXPECT_EQ(a.subscription().backlog(), 2u);
  EXPECT_EQ(a.Held(), (Ids{"e1", "e399"})) << "the listener still believes that it has e1";
  a.Ack("e1");
  EXPECT_EQ(a.confirmations.back().status, ConfirmationStatus::kAlreadySettled);
}

TEST(SubscriptionSeekTest, ASeekThatIsOnlyValidatedSaysTheSameAndDoesNothing) {
  BusHarness bus;
  auto& a = bus.Connect("a", 1);
  PublishMany(bus, 400);
  a.Ack("e1");

  const auto asked = bus.Seek("a", At(300), true, "");
  ASSERT_TRUE(asked.ok());
  EXPECT_EQ(a.subscription().backlog(), 399u);
  const auto done = bus.Seek("a", At(300), false, "");

  EXPECT_EQ(asked->skipped, done->skipped);
  EXPECT_EQ(asked->next_sequence, done->next_sequence);
}

TEST(SubscriptionSeekTest, ASeekBackDeliversAgainAndThePublishResultStays) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  PublishMany(bus, 5);
  a.AckAll();

  const auto outcome = bus.Seek("a", At(3), false, "");
  bus.Flush();

  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->skipped, 0u);
  EXPECT_EQ(a.Held(), (Ids{"e3", "e4", "e5"}));
  EXPECT_EQ(a.subscription().backlog(), 3u);
  a.DeadLetter("e3");
  EXPECT_EQ(bus.State("e3", "a"), DeliveryState::kSucceeded) << "that was the answer to the publisher";
  a.AckAll();
  EXPECT_EQ(a.subscription().backlog(), 0u);
}

TEST(SubscriptionSeekTest, ASeekBackWhileEventsAreOutKeepsOrderPerKey) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x1"});
  bus.Publish({.id = "x2"});
  a.Ack("x1");
  ASSERT_EQ(a.Held(), (Ids{"x2"}));

  ASSERT_TRUE(bus.Seek("a", At(1), false, "").ok());
  bus.Flush();
  EXPECT_EQ(a.Held(), (Ids{"x2"})) << "never two of one key at once";
  a.Ack("x2");

  EXPECT_EQ(a.Held(), (Ids{"x1"}));
}

TEST(SubscriptionSeekTest, TheBacklogIsRightWhenAnEventIsSettledBetweenASeekBackAndItsTurn) {
  BusHarness bus;
  auto& a = bus.Connect("a", 1);
  PublishMany(bus, 400);
  for (int i = 1; i <= 200; ++i) a.Ack("e" + std::to_string(i));
  ASSERT_EQ(a.Held(), (Ids{"e201"}));

  ASSERT_TRUE(bus.Seek("a", At(1), false, "").ok());
  bus.Flush();
  a.AckAll();

  EXPECT_EQ(a.subscription().backlog(), 0u);
  for (const auto& one : a.received) ASSERT_LT(one.delivery.backlog, 401u) << one.delivery.event->event_id;
  for (int i = 1; i <= 200; ++i) EXPECT_EQ(a.Times("e" + std::to_string(i)), 2);
  for (int i = 201; i <= 400; ++i) EXPECT_GE(a.Times("e" + std::to_string(i)), 1);
}

TEST(SubscriptionSeekTest, ASeekMovesAListenerThatIsAway) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  a.Break();
  PublishMany(bus, 10);

  const auto outcome = bus.Seek("a", At(StartPosition::Kind::kLatest), false, "");
  EXPECT_EQ(outcome->skipped, 10u);
  EXPECT_EQ(a.subscription().backlog(), 0u);
  a.Connect();
  EXPECT_EQ(a.received.size(), 0u);
}

TEST(SubscriptionSeekTest, AnEventThatExpiresAfterASeekBackIsNoLongerCounted) {
  BusHarness bus;
  auto& a = bus.Connect("a", 1);
  for (int i = 1; i <= 400; ++i) {
    bus.Publish({.key = "k" + std::to_string(i), .expires_in = seconds(10), .wait_policy = WaitPolicy::kDurable});
  }
  for (int i = 1; i <= 200; ++i) a.Ack("e" + std::to_string(i));
  ASSERT_TRUE(bus.Seek("a", At(1), false, "").ok());
  bus.Flush();

  bus.Advance(seconds(10));

  EXPECT_EQ(a.subscription().backlog(), 1u) << "the one in flight";
  a.Ack("e201");
  EXPECT_EQ(a.subscription().backlog(), 0u);
  EXPECT_EQ(a.subscription().floor(), 401u);
}

TEST(SubscriptionSeekTest, AnEventOlderThanAListenerThatIsAwayExpiresForItToo) {
  BusHarness bus;
  bus.Publish({.id = "x", .key = "x", .expires_in = seconds(10)});
  bus.Publish({.id = "y", .key = "y"});
  auto& a = bus.Add("a");
  a.registration.start_position = At(StartPosition::Kind::kEarliest);
  a.reading = false;
  a.Connect();
  a.Break();
  ASSERT_EQ(a.subscription().backlog(), 2u);

  bus.Advance(seconds(10));

  EXPECT_EQ(a.subscription().backlog(), 1u);
  a.reading = true;
  a.Connect();
  EXPECT_EQ(a.Order(), (Ids{"y"}));
}

// Deletion.

TEST(SubscriptionSeekTest, DeletingAListenerEndsItsDeliveriesAsExpired) {
  BusHarness bus;
  auto& a = bus.Connect("a", 1);
  const auto published = bus.Publish({.id = "x", .key = "x", .wait_policy = WaitPolicy::kSettled});
  PublishMany(bus, 300);

  const auto dropped = bus.bus.registry().Delete("a", true, "");
  bus.Flush();

  ASSERT_TRUE(dropped.ok());
  EXPECT_EQ(*dropped, 301u);
  ASSERT_TRUE(published->done());
  EXPECT_EQ(published->At("a").state, DeliveryState::kExpired);
  EXPECT_EQ(published->At("a").reason, "LISTENER_DELETED");
  EXPECT_EQ(bus.State("e301", "a"), DeliveryState::kExpired);
  ASSERT_TRUE(a.ended);
  bus.Advance(hours(2));
  a.Connect();
  EXPECT_FALSE(a.registered.back().resumed);
  EXPECT_EQ(a.Times("x"), 1) << "a new listener of the old name begins anew";
}

TEST(SubscriptionSeekTest, AnEphemeralListenerIsForgottenWhenItLeaves) {
  BusHarness bus;
  auto& a = bus.Add("a");
  a.registration.ephemeral = true;
  a.Connect();
  const auto published = bus.Publish({.id = "x"});

  a.Break();

  ASSERT_TRUE(published->done());
  EXPECT_EQ(published->At("a").state, DeliveryState::kExpired);
  EXPECT_EQ(published->At("a").reason, "LISTENER_GONE");
  EXPECT_TRUE(bus.bus.registry().listeners().empty());
  EXPECT_TRUE(bus.Publish()->rows.empty());
}

// Ten events, of which the listener, who is away, wants every second one.
ScriptedListener& LeaveAfterTen(BusHarness& bus) {
  auto& a = bus.Add("a");
  a.registration.filter = *Filter::ParseForEvents("subject = wanted");
  a.Connect();
  a.Break();
  for (int i = 1; i <= 10; ++i) {
    bus.Publish({.subject = i % 2 == 0 ? "wanted" : "other", .wait_policy = WaitPolicy::kDurable, .let_bus_name_it = true});
  }
  return a;
}

TEST(SubscriptionSeekTest, WhatAFilteredListenerLosesIsToldWhenWhatIsLeftHasBeenCounted) {
  BusHarness bus;
  const Subscription& subscription = LeaveAfterTen(bus).subscription();
  bus.log.hold_lookups = true;
  bus.bus.registry().GiveUpBefore(5);  // 2 and 4
  ASSERT_EQ(subscription.incidents().size(), 1u);
  EXPECT_TRUE(subscription.incidents()[0].lost_at_least);
  EXPECT_NE(subscription.incidents()[0].message.find("at least 0"), std::string::npos);
  bus.Publish({.subject = "wanted", .wait_policy = WaitPolicy::kDurable, .let_bus_name_it = true});
  bus.bus.registry().GiveUpBefore(8);  // and 6, before the count has ended
  bus.log.hold_lookups = false;
  bus.log.CompleteLookups();
  bus.Advance(std::chrono::milliseconds(10));

  ASSERT_EQ(subscription.incidents().size(), 1u);
  EXPECT_EQ(subscription.incidents()[0].lost, 3u);
  EXPECT_FALSE(subscription.incidents()[0].lost_at_least);
  EXPECT_EQ(subscription.backlog(), 3u);
  EXPECT_EQ(bus.bus.registry().lost_deliveries(), 3u);
  const ListenerSnapshot kept = bus.log.journal().Recover().listeners.at(0).snapshot;
  EXPECT_EQ(kept.lost_deliveries, 3u);
  EXPECT_EQ(kept.incidents.at(0).lost, 3u);
}

TEST(SubscriptionSeekTest, WhatWasNotCountedBeforeItWasLostIsAtLeastSoMuch) {
  BusHarness bus;
  const Subscription& subscription = LeaveAfterTen(bus).subscription();
  bus.log.hold_lookups = true;
  bus.bus.registry().Seek("a", At(1), false, "", [](const auto&) {});
  bus.bus.registry().GiveUpBefore(5);
  bus.log.hold_lookups = false;
  bus.log.CompleteLookups();
  bus.Flush();
  EXPECT_TRUE(subscription.incidents().back().lost_at_least);
  EXPECT_EQ(subscription.incidents().back().lost, 0u);

  bus.bus.registry().GiveUpBefore(9);  // 6 and 8
  EXPECT_EQ(subscription.incidents().back().lost, 2u);
  EXPECT_TRUE(subscription.incidents().back().lost_at_least) << "of the same incident";
}

}  // namespace
}  // namespace pvebus::bus
