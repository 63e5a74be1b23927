// What an attack on the bus once broke.
#include "bus-service/core/testing/bus_harness.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

using std::chrono::seconds;

TEST(BusRegressionTest, AnOfflineListenerWhoseEventsHaveExpiredDoesNotFillTheJournal) {
  BusHarness harness;
  harness.log.max_bytes = 10'000;
  harness.Connect("gone").Break();
  harness.Publish({.expires_in = seconds(1), .wait_policy = WaitPolicy::kDurable});
  auto& others = harness.Connect("others");
  harness.bus.registry().Find("gone").value()->subscription->SetPaused(true);

  harness.Advance(seconds(2));
  ASSERT_EQ(harness.State("e1", "gone"), DeliveryState::kExpired);
  for (int i = 0; i < 100; ++i) {
    const auto published = harness.Publish({.expires_in = seconds(1), .wait_policy = WaitPolicy::kDurable});
    others.AckAll();
    harness.Advance(seconds(2));

    ASSERT_TRUE(published->status.ok()) << "event " << i + 2 << ": " << published->status;
  }
  EXPECT_EQ(harness.bus.registry().Find("gone").value()->subscription->backlog(), 0u);
}

TEST(BusRegressionTest, WhatListenersAnswerIsKeptWithinTheLimit) {
  BusHarness harness;
  harness.limits.max_ledger_bytes = 1 << 20;
  auto& talker = harness.Connect("talker", 1000);
  for (int i = 0; i < 100; ++i) harness.Publish({.key = std::to_string(i), .wait_policy = WaitPolicy::kDurable});

  for (const auto& received : std::vector(talker.received)) {
    Settlement settlement;
    settlement.delivery_id = received.delivery.delivery_id;
    settlement.outcome = Settlement::Outcome::kAcknowledge;
    settlement.hook_results = std::string(100'000, 'x');
    talker.Settle(settlement);
  }

  size_t kept = 0;
  for (Sequence sequence = 1; sequence <= 100; ++sequence) {
    const Publication* publication = harness.bus.ledger().Find(sequence);
    if (publication) kept += publication->rows[0].hook_results.size();
    EXPECT_EQ(harness.State("e" + std::to_string(sequence), "talker"), DeliveryState::kSucceeded);
  }
  EXPECT_GT(kept, 0u);
  EXPECT_LE(kept, 2 * harness.limits.max_ledger_bytes);
  EXPECT_TRUE(harness.Publish({.wait_policy = WaitPolicy::kDurable})->status.ok()) << "settled events make room";
}

TEST(BusRegressionTest, NobodyWaitsForABusThatHasEndedEverything) {
  BusHarness harness;
  harness.Connect("hangs");
  harness.Publish();
  harness.bus.StartDrain();
  harness.bus.EndAll();

  const auto late = harness.GetResult("e1", WaitPolicy::kSettled);

  EXPECT_TRUE(late->done());
}

TEST(BusRegressionTest, WaitingForAResultCountsAsWaiting) {
  BusHarness harness;
  harness.limits.max_waiting_publishes = 10;
  harness.Connect("hangs");
  harness.Publish();
  for (int i = 0; i < 9; ++i) ASSERT_FALSE(harness.GetResult("e1", WaitPolicy::kSettled)->done());

  EXPECT_EQ(harness.GetResult("e1", WaitPolicy::kSettled)->status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(harness.GetResult("e1")->status.ok()) << "who does not wait is told";
}

TEST(BusRegressionTest, WhoLeavesNoLongerWaits) {
  BusHarness harness;
  harness.limits.max_waiting_publishes = 1;
  harness.Connect("hangs");
  const int caller = 0;
  const EventKey key{EventKey::Kind::kEventId, "e1"};
  harness.Publish({.wait_policy = WaitPolicy::kDurable});
  absl::Status told;
  harness.bus.GetResult(
      key, WaitPolicy::kSettled, seconds(30), [&told](const absl::StatusOr<PublishReply>& reply) { told = reply.status(); },
      &caller);
  ASSERT_EQ(harness.Publish()->status.code(), absl::StatusCode::kResourceExhausted);

  harness.bus.Leave(key, &caller);

  EXPECT_EQ(told.code(), absl::StatusCode::kCancelled);
  EXPECT_FALSE(harness.Publish()->done()) << "there is room for one who waits";
}

TEST(BusRegressionTest, AnEphemeralListenerThatLeavesEndsItsRowsWhereverTheyAre) {
  BusHarness harness;
  auto& brief = harness.Add("brief");
  brief.registration.ephemeral = true;
  brief.registration.max_in_flight = 1;
  brief.Connect();
  for (int i = 0; i < 1000; ++i) harness.Publish({.key = std::to_string(i), .wait_policy = WaitPolicy::kDurable});
  brief.Ack("e1");

  brief.Break();

  EXPECT_EQ(harness.State("e1", "brief"), DeliveryState::kSucceeded);
  for (const char* id : {"e2", "e3", "e257", "e258", "e1000"})
    EXPECT_EQ(harness.State(id, "brief"), DeliveryState::kExpired) << id;
  for (Sequence sequence = 1; sequence <= 1000; ++sequence) EXPECT_EQ(harness.bus.ledger().Find(sequence)->unsettled_rows, 0u);
}

}  // namespace
}  // namespace pvebus::bus
