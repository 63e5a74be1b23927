#include "bus-service/core/subscription.h"

#include "bus-service/core/testing/bus_harness.h"
#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

using Ids = std::vector<std::string>;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

ConfirmationStatus LastStatus(const ScriptedListener& listener) {
  return listener.confirmations.empty() ? ConfirmationStatus{} : listener.confirmations.back().status;
}

// Order and window.

TEST(SubscriptionTest, TheNextEventOfAKeyWaitsUntilTheEarlierIsSettledAndOtherKeysFlow) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x1", .key = "x"});
  bus.Publish({.id = "x2", .key = "x"});
  bus.Publish({.id = "y1", .key = "y"});

  EXPECT_EQ(a.Held(), (Ids{"x1", "y1"}));

  a.Ack("y1");
  EXPECT_EQ(a.Held(), (Ids{"x1"}));
  a.Ack("x1");
  EXPECT_EQ(a.Held(), (Ids{"x2"}));
}

TEST(SubscriptionTest, AKeyWaitsThroughRetriesAndFlowsAgainAfterADeadLetter) {
  BusHarness bus;
  auto& a = bus.Add("a");
  a.registration.delivery_policy.max_attempts = 2;
  a.Connect();
  bus.Publish({.id = "x1", .key = "x"});
  bus.Publish({.id = "x2", .key = "x"});

  a.Retry("x1", seconds(1));
  EXPECT_EQ(a.Held(), Ids{}) << "x2 must not overtake";
  bus.Advance(seconds(1));
  EXPECT_EQ(a.Held(), (Ids{"x1"}));
  a.Retry("x1");

  EXPECT_EQ(bus.State("x1", "a"), DeliveryState::kDeadLettered);
  EXPECT_EQ(a.Held(), (Ids{"x2"}));
}

TEST(SubscriptionTest, SkipAndReleaseKeepTheOrderToo) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x1", .key = "x"});
  bus.Publish({.id = "x2", .key = "x"});
  bus.Publish({.id = "x3", .key = "x"});

  a.Skip("x1");
  EXPECT_EQ(a.Held(), (Ids{"x2"}));
  a.Release("x2", seconds(1));
  EXPECT_EQ(a.Held(), Ids{});
  bus.Advance(seconds(1));
  EXPECT_EQ(a.Held(), (Ids{"x2"}));
}

TEST(SubscriptionTest, NeverMoreThanTheWindowIsInFlight) {
  BusHarness bus;
  auto& a = bus.Connect("a", 3);
  for (int i = 1; i <= 10; ++i) bus.Publish({.key = "k" + std::to_string(i)});

  EXPECT_EQ(a.Held(), (Ids{"e1", "e2", "e3"}));
  EXPECT_EQ(a.subscription().window().in_flight(), 3u);

  a.Ack("e2");
  EXPECT_EQ(a.Held(), (Ids{"e1", "e3", "e4"}));
}

TEST(SubscriptionTest, AFlowUpdateOpensAndClosesTheWindow) {
  BusHarness bus;
  auto& a = bus.Connect("a", 1);
  for (int i = 1; i <= 10; ++i) bus.Publish({.key = "k" + std::to_string(i)});

  a.SetWindow(4);
  EXPECT_EQ(a.Held().size(), 4u);
  a.SetWindow(2);
  a.Ack("e1");
  a.Ack("e2");
  EXPECT_EQ(a.Held(), (Ids{"e3", "e4"})) << "what is out stays out, nothing new comes";
  a.Ack("e3");
  EXPECT_EQ(a.Held(), (Ids{"e4", "e5"}));
}

TEST(SubscriptionTest, WhatIsLoadedIsBoundedByCountAndTheRestIsReadWhenItsTurnComes) {
  BusHarness bus;
  auto& a = bus.Connect("a", 1);
  for (int i = 1; i <= 1000; ++i) bus.Publish({.key = "k" + std::to_string(i), .wait_policy = WaitPolicy::kDurable});

  EXPECT_LE(a.subscription().window().size(), 256u);
  EXPECT_EQ(a.subscription().backlog(), 1000u);

  a.AckAll();
  EXPECT_EQ(a.received.size(), 1000u);
  EXPECT_EQ(a.subscription().backlog(), 0u);
}

TEST(SubscriptionTest, WhatIsLoadedIsBoundedByBytes) {
  BusHarness bus;
  auto& a = bus.Add("a");
  a.registration.max_in_flight = 10'000;
  a.reading = false;
  a.Connect();
  constexpr size_t kEventBytes = 1 << 20;
  for (int i = 0; i < 40; ++i)
    bus.Publish({.key = "k" + std::to_string(i), .body_bytes = kEventBytes, .wait_policy = WaitPolicy::kDurable});

  EXPECT_LE(a.subscription().window().bytes(), kWindowBytes + kEventBytes + 512);

  a.Break();
  a.reading = true;
  a.Connect();
  for (auto held = a.Held(); !held.empty(); held = a.Held()) {
    a.Ack(held.front());
    ASSERT_LE(a.subscription().window().bytes(), kWindowBytes + kEventBytes + 512)
        << "reading back may not take more than journaling";
  }
  EXPECT_EQ(a.subscription().backlog(), 0u);
}

TEST(SubscriptionTest, AFrameEndsAfterSoManyBytesButAlwaysCarriesOneEvent) {
  BusHarness bus;
  auto& a = bus.Add("a");
  a.reading = false;
  a.Connect();
  for (int i = 0; i < 4; ++i) bus.Publish({.key = "small" + std::to_string(i), .wait_policy = WaitPolicy::kDurable});
  bus.Publish({.key = "big1", .body_bytes = 2 * kFrameBytes, .wait_policy = WaitPolicy::kDurable});
  bus.Publish({.key = "big2", .body_bytes = 2 * kFrameBytes, .wait_policy = WaitPolicy::kDurable});

  a.reading = true;
  bus.Flush();

  EXPECT_EQ(a.frame_sizes, (std::vector<size_t>{4, 1, 1}));
}

TEST(SubscriptionTest, ADeliveryTellsAttemptDeadlineAndWhatWaitsBehindIt) {
  BusHarness bus;
  auto& a = bus.Connect("a", 1);
  bus.Publish({.key = "x"});
  bus.Publish({.key = "y"});
  bus.Publish({.key = "z"});
  const OutgoingDelivery first = a.Newest("e1").delivery;
  a.Ack("e1");

  EXPECT_EQ(first.attempt, 1u);
  EXPECT_EQ(first.max_attempts, 10u);
  EXPECT_EQ(first.ack_deadline_time, bus.clock.SystemNow() + seconds(30));
  EXPECT_EQ(first.backlog, 0u) << "when e1 was sent nothing waited";
  EXPECT_EQ(a.Newest("e2").delivery.backlog, 1u);
}

// Deadlines.

TEST(SubscriptionTest, AMissedDeadlineIsAFailedAttemptToTheMillisecond) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  const auto published = bus.Publish({.id = "x"});

  bus.Advance(seconds(10) - milliseconds(1));
  EXPECT_FALSE(published->done());
  bus.Advance(seconds(20));
  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kInFlight);
  bus.Advance(milliseconds(1));

  const auto row = bus.Row("x", "a");
  EXPECT_EQ(row.state, DeliveryState::kRetryScheduled);
  EXPECT_EQ(row.reason, "ACK_DEADLINE_EXCEEDED");
  EXPECT_EQ(row.attempt, 1u);
  EXPECT_EQ(a.subscription().window().in_backoff(), 1u);
}

TEST(SubscriptionTest, ALateAckOfAnUnsettledEventCounts) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});
  bus.Advance(seconds(30));
  ASSERT_EQ(bus.State("x", "a"), DeliveryState::kRetryScheduled);

  a.Ack("x");

  EXPECT_EQ(LastStatus(a), ConfirmationStatus::kAcceptedLate);
  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kSucceeded);
  bus.Advance(minutes(5));
  EXPECT_EQ(a.Times("x"), 1);
}

TEST(SubscriptionTest, ALateAckOfTheFirstAttemptSettlesTheSecond) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});
  const uint64_t first = a.Newest("x").delivery.delivery_id;
  bus.Advance(seconds(32));
  ASSERT_EQ(a.Times("x"), 2);

  a.Settle(a.SettlementFor(first, Settlement::Outcome::kAcknowledge));
  EXPECT_EQ(LastStatus(a), ConfirmationStatus::kAcceptedLate);
  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kSucceeded);

  a.Ack("x");
  EXPECT_EQ(LastStatus(a), ConfirmationStatus::kAlreadySettled);
}

TEST(SubscriptionTest, ALateRejectionChangesNothing) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});
  const uint64_t first = a.Newest("x").delivery.delivery_id;
  bus.Advance(seconds(32));

  a.Settle(a.SettlementFor(first, Settlement::Outcome::kRetry));
  EXPECT_EQ(LastStatus(a), ConfirmationStatus::kAlreadySettled);
  a.Settle(a.SettlementFor(first, Settlement::Outcome::kRelease));
  EXPECT_EQ(LastStatus(a), ConfirmationStatus::kAlreadySettled);

  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kInFlight);
  EXPECT_EQ(bus.Row("x", "a").attempt, 2u);
}

TEST(SubscriptionTest, AnExtensionMovesTheDeadlineFromNow) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});

  bus.Advance(seconds(20));
  a.Extend("x", minutes(1));
  bus.Advance(minutes(1) - milliseconds(1));
  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kInFlight);
  bus.Advance(milliseconds(1));
  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kRetryScheduled);
}

TEST(SubscriptionTest, AnExtensionWithoutATimeGivesAnotherAckDeadline) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});

  bus.Advance(seconds(29));
  a.Extend("x");
  bus.Advance(seconds(29));
  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kInFlight);
  bus.Advance(seconds(1));
  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kRetryScheduled);
}

TEST(SubscriptionTest, ExtensionsEndAtMaxAckExtensionBeyondTheFirstDeadline) {
  BusHarness bus;
  auto& a = bus.Add("a");
  a.registration.delivery_policy.max_ack_extension = seconds(20);
  a.Connect();
  bus.Publish({.id = "x"});

  a.Extend("x", hours(10));
  bus.Advance(seconds(40));
  a.Extend("x");
  bus.Advance(seconds(10) - milliseconds(1));
  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kInFlight);
  bus.Advance(milliseconds(1));

  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kRetryScheduled);
}

TEST(SubscriptionTest, AnExtensionOfWhatIsNotInFlightIsToldSo) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});
  a.Ack("x");

  a.Extend("x");
  EXPECT_EQ(LastStatus(a), ConfirmationStatus::kAlreadySettled);
  a.ExtendDelivery(12345);
  EXPECT_EQ(LastStatus(a), ConfirmationStatus::kUnknownDelivery);
}

// Outcomes.

TEST(SubscriptionTest, ARetriedEventComesAgainAfterTheBackoffWhichGrows) {
  BusHarness bus;
  auto& a = bus.Add("a");
  a.registration.delivery_policy.ack_deadline = hours(1);
  a.Connect();
  bus.Publish({.id = "x"});
  const double kNominal[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};

  for (uint32_t attempt = 1; attempt < 10; ++attempt) {
    const SteadyTime rejected = bus.clock.SteadyNow();
    a.Retry("x");
    ASSERT_EQ(bus.State("x", "a"), DeliveryState::kRetryScheduled);
    bus.Advance(seconds(70));
    ASSERT_EQ(a.Times("x"), static_cast<int>(attempt) + 1);
    const double waited = std::chrono::duration<double>(a.Newest("x").time - rejected).count();
    EXPECT_GE(waited, 0.9 * kNominal[attempt - 1]);
    EXPECT_LE(waited, 1.1 * kNominal[attempt - 1]);
    EXPECT_EQ(a.Newest("x").delivery.attempt, attempt + 1);
  }
  a.Retry("x");

  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kDeadLettered);
  EXPECT_EQ(bus.Row("x", "a").reason, "TEST_REASON");
  EXPECT_EQ(bus.Row("x", "a").attempt, 10u);
  EXPECT_EQ(a.subscription().dead_letters(), 1u);
  EXPECT_EQ(a.subscription().backlog(), 0u);
}

TEST(SubscriptionTest, ARetryDelayStandsInForTheBackoff) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});

  a.Retry("x", minutes(10));
  bus.Advance(minutes(10) - milliseconds(1));
  EXPECT_EQ(a.Times("x"), 1);
  bus.Advance(milliseconds(1));
  EXPECT_EQ(a.Times("x"), 2);
}

TEST(SubscriptionTest, AReleasedEventComesAgainAfterAWaitAndCountsNoAttempt) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});

  for (int i = 1; i <= 30; ++i) {
    a.Release("x");
    EXPECT_EQ(a.Times("x"), i) << "not at once: that would be a hot loop";
    bus.Advance(milliseconds(1100));
    ASSERT_EQ(a.Times("x"), i + 1);
    EXPECT_EQ(a.Newest("x").delivery.attempt, 1u);
  }

  a.Ack("x");
  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kSucceeded);
}

TEST(SubscriptionTest, AReleasedEventIsPendingAndNoError) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});

  a.Release("x", seconds(5));

  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kQueued);
  EXPECT_EQ(bus.Row("x", "a").reason, "TEST_REASON") << "why it was released";
  EXPECT_EQ(bus.Row("x", "a").attempt, 0u);
  EXPECT_FALSE(a.subscription().last_error());
  bus.Advance(seconds(4));
  EXPECT_EQ(a.Times("x"), 1);
  bus.Advance(seconds(1));
  EXPECT_EQ(a.Times("x"), 2);
}

TEST(SubscriptionTest, DeadLetterAndSkipEndTheDeliveryAtOnce) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x", .key = "x"});
  bus.Publish({.id = "y", .key = "y"});

  a.DeadLetter("x");
  a.Skip("y");

  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kDeadLettered);
  EXPECT_EQ(bus.State("y", "a"), DeliveryState::kSkipped);
  EXPECT_EQ(a.subscription().dead_letters(), 1u);
  EXPECT_EQ(a.subscription().backlog(), 0u);
  ASSERT_TRUE(a.subscription().last_error());
  EXPECT_EQ(a.subscription().last_error()->error.reason, "TEST_REASON");
  bus.Advance(hours(1));
  EXPECT_EQ(a.received.size(), 2u);
}

TEST(SubscriptionTest, AnAnswerForADeliveryOfSomebodyElseIsUnknown) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  auto& b = bus.Connect("b");
  bus.Publish({.id = "x"});

  a.Settle(a.SettlementFor(b.Newest("x").delivery.delivery_id, Settlement::Outcome::kAcknowledge));

  EXPECT_EQ(LastStatus(a), ConfirmationStatus::kUnknownDelivery);
  EXPECT_EQ(bus.State("x", "b"), DeliveryState::kInFlight);
  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kInFlight);
}

TEST(SubscriptionTest, OneDeliveryAnsweredTwiceInOneMessageCountsOnce) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});
  const uint64_t id = a.Newest("x").delivery.delivery_id;

  a.session()->OnSettlements(
      {a.SettlementFor(id, Settlement::Outcome::kAcknowledge), a.SettlementFor(id, Settlement::Outcome::kDeadLetter)});
  bus.Flush();

  ASSERT_EQ(a.confirmations.size(), 2u);
  EXPECT_EQ(a.confirmations[0].status, ConfirmationStatus::kAccepted);
  EXPECT_EQ(a.confirmations[1].status, ConfirmationStatus::kAlreadySettled);
  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kSucceeded);
  EXPECT_EQ(a.subscription().backlog(), 0u);
}

}  // namespace
}  // namespace pvebus::bus
