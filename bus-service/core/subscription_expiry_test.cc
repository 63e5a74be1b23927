// What becomes of an event whose expire_time comes, wherever it is.
#include "bus-service/core/subscription.h"
#include "bus-service/core/testing/bus_harness.h"
#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

using Ids = std::vector<std::string>;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(SubscriptionExpiryTest, AQueuedEventExpiresWhenItsTimeComes) {
  BusHarness bus;
  auto& a = bus.Connect("a", 1);
  bus.Publish({.id = "first", .key = "x"});
  bus.Publish({.id = "second", .key = "y", .expires_in = minutes(1)});

  a.Extend("first", minutes(5));
  bus.Advance(minutes(1));

  EXPECT_EQ(bus.State("second", "a"), DeliveryState::kExpired);
  EXPECT_EQ(bus.Row("second", "a").reason, "EVENT_EXPIRED");
  a.Ack("first");
  EXPECT_EQ(a.Times("second"), 0);
  EXPECT_EQ(a.subscription().backlog(), 0u);
}

TEST(SubscriptionExpiryTest, AnEventInFlightMayStillBeAckedAfterItsTime) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x", .expires_in = seconds(5)});

  bus.Advance(seconds(6));
  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kInFlight);
  a.Ack("x");

  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kSucceeded);
}

TEST(SubscriptionExpiryTest, AnEventInFlightThatFailsAfterItsTimeHasExpired) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x", .key = "x", .expires_in = seconds(5)});
  bus.Publish({.id = "y", .key = "y", .expires_in = seconds(5)});
  bus.Publish({.id = "z", .key = "z", .expires_in = seconds(5)});

  bus.Advance(seconds(6));
  a.Retry("x");
  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kExpired);
  a.Release("z");
  EXPECT_EQ(bus.State("z", "a"), DeliveryState::kExpired) << "released is not handled either";
  bus.Advance(seconds(24));
  EXPECT_EQ(bus.State("y", "a"), DeliveryState::kExpired);
  EXPECT_EQ(a.subscription().backlog(), 0u);
}

TEST(SubscriptionExpiryTest, AnEventInFlightWhoseListenerIsLostAfterItsTimeHasExpired) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  const auto published = bus.Publish({.id = "x", .expires_in = seconds(5), .wait_policy = WaitPolicy::kSettled});

  bus.Advance(seconds(6));
  a.Break();

  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kExpired);
  EXPECT_TRUE(published->done());
  EXPECT_EQ(bus.bus.registry().listeners().at("a").subscription->backlog(), 0u);
}

TEST(SubscriptionExpiryTest, AnEventThatWaitsForARetryExpires) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x", .expires_in = seconds(5)});

  a.Retry("x", minutes(1));
  bus.Advance(seconds(5));

  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kExpired);
  bus.Advance(minutes(2));
  EXPECT_EQ(a.Times("x"), 1);
}

TEST(SubscriptionExpiryTest, AnEventForAListenerThatIsAwayOrPausedExpires) {
  BusHarness bus;
  auto& away = bus.Connect("away");
  auto& paused = bus.Connect("paused");
  away.Break();
  ASSERT_TRUE(bus.bus.registry().Pause("paused", "", "").ok());
  bus.Publish({.id = "x", .expires_in = seconds(5)});

  bus.Advance(seconds(5));

  EXPECT_EQ(bus.State("x", "away"), DeliveryState::kExpired);
  EXPECT_EQ(bus.State("x", "paused"), DeliveryState::kExpired);
  ASSERT_TRUE(bus.bus.registry().Resume("paused", "").ok());
  away.Connect();
  bus.Flush();
  EXPECT_EQ(away.received.size() + paused.received.size(), 0u);
}

TEST(SubscriptionExpiryTest, WhatHasExpiredIsBehindTheListenerEvenWhileItIsAway) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  a.Break();
  bus.Publish({.id = "x", .expires_in = seconds(5)});
  bus.Publish({.id = "y", .expires_in = seconds(6)});
  ASSERT_EQ(a.subscription().floor(), 1u);

  bus.Advance(seconds(5));
  EXPECT_EQ(a.subscription().floor(), 2u) << "else an expired event holds the journal for ever";
  bus.Publish({.id = "z"});
  bus.Advance(seconds(1));
  EXPECT_EQ(a.subscription().floor(), 3u);

  a.Connect();
  EXPECT_EQ(a.Order(), (Ids{"z"}));
}

TEST(SubscriptionExpiryTest, AnExpiredDeferredEventIsNotSentAfterwards) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "parent", .key = "x"});
  bus.Publish({.id = "child", .key = "y", .parent = "parent", .expires_in = seconds(5)});
  ASSERT_EQ(bus.State("child", "a"), DeliveryState::kDeferred);

  bus.Advance(seconds(5));
  a.Ack("parent");

  EXPECT_EQ(bus.State("child", "a"), DeliveryState::kExpired);
  EXPECT_EQ(a.Times("child"), 0);
}

}  // namespace
}  // namespace pvebus::bus
