// What is no longer in memory: the bus knows it all the same.
#include "bus-service/core/bus.h"
#include "bus-service/core/testing/bus_harness.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

using Ids = std::vector<std::string>;
using Outcome = Settlement::Outcome;
using std::chrono::milliseconds;
using std::chrono::seconds;

class JournalMemoryTest : public ::testing::Test {
 protected:
  JournalMemoryTest() { bus.limits.max_ledger_bytes = 0; }

  // After it only the journal knows what was published before.
  void Forget() {
    bus.Flush();
    bus.bus.EndTurn();
    ASSERT_EQ(bus.bus.ledger().size(), 0u);
  }

  BusHarness bus;
};

TEST_F(JournalMemoryTest, ResultsAreTheSameAsBefore) {
  auto& acks = bus.Connect("acks");
  auto& rejects = bus.Connect("rejects");
  auto& skips = bus.Connect("skips");
  auto& away = bus.Connect("away");
  away.Break();
  bus.Connect("holds");
  bus.Publish({.id = "x", .wait_policy = WaitPolicy::kDurable, .required = {"acks"}});
  acks.Ack("x");
  rejects.Settle(rejects.SettlementFor(rejects.Newest("x").delivery.delivery_id, Outcome::kDeadLetter));
  skips.Settle(skips.SettlementFor(skips.Newest("x").delivery.delivery_id, Outcome::kSkip));
  Forget();

  const auto result = bus.GetResult("x");

  ASSERT_TRUE(result->status.ok()) << result->status;
  ASSERT_EQ(result->rows.size(), 5u);
  EXPECT_EQ(result->At("acks").state, DeliveryState::kSucceeded);
  EXPECT_EQ(result->At("acks").attempt, 1u);
  EXPECT_TRUE(result->At("acks").required);
  EXPECT_FALSE(result->At("rejects").required);
  EXPECT_EQ(result->At("rejects").state, DeliveryState::kDeadLettered);
  EXPECT_EQ(result->At("skips").state, DeliveryState::kSkipped);
  EXPECT_EQ(result->At("away").state, DeliveryState::kOffline);
  EXPECT_EQ(result->At("holds").state, DeliveryState::kInFlight);
}

TEST_F(JournalMemoryTest, ARepetitionIsFoundByEitherIdAndAnotherBodyIsRefused) {
  bus.Connect("a");
  bus.Publish({.id = "x", .wait_policy = WaitPolicy::kDurable, .request_id = "r"});
  Forget();

  const auto by_event = bus.Publish({.id = "x", .wait_policy = WaitPolicy::kDurable});
  Forget();
  const auto by_request = bus.Publish({.wait_policy = WaitPolicy::kDurable, .request_id = "r", .let_bus_name_it = true});
  Forget();

  EXPECT_TRUE(by_event->duplicate);
  EXPECT_TRUE(by_request->duplicate);
  EXPECT_EQ(by_request->event_id, "x");
  EXPECT_EQ(ErrorReason(bus.Publish({.id = "x", .body = "other"})->status), "EVENT_ID_CONFLICT");
  EXPECT_EQ(ErrorReason(bus.Publish({.id = "y", .body = "other", .request_id = "r"})->status), "REQUEST_ID_CONFLICT");
  EXPECT_EQ(bus.bus.journaled_sequence(), 1u);
}

TEST_F(JournalMemoryTest, WhileTheJournalLooksPublishesKeepTheirOrder) {
  bus.Publish({.id = "x", .wait_policy = WaitPolicy::kDurable});
  Forget();
  bus.log.hold_lookups = true;
  const auto again = bus.Publish({.id = "x", .wait_policy = WaitPolicy::kDurable});
  const auto first = bus.Publish({.id = "first", .wait_policy = WaitPolicy::kDurable});
  const auto second = bus.Publish({.id = "second", .wait_policy = WaitPolicy::kDurable});
  EXPECT_FALSE(again->done());
  EXPECT_FALSE(first->done());
  EXPECT_FALSE(bus.bus.Drained());

  bus.log.hold_lookups = false;
  bus.log.CompleteLookups();
  bus.log.CompleteLookups();

  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(first->sequence, 2u);
  EXPECT_EQ(second->sequence, 3u);
}

TEST_F(JournalMemoryTest, AReleasedDeliveryIsPendingThereToo) {
  bus.Connect("a").registration.delivery_policy.max_attempts = 2;
  auto& b = bus.Connect("b");
  bus.Publish({.id = "x", .wait_policy = WaitPolicy::kDurable});
  b.Release("x", seconds(5));
  Forget();

  EXPECT_EQ(bus.State("x", "b"), DeliveryState::kQueued);
  EXPECT_EQ(bus.Row("x", "b").reason, "TEST_REASON");
}

TEST_F(JournalMemoryTest, RowsOfADeletedListenerStayAsTheyEnded) {
  auto& a = bus.Connect("a");
  bus.Connect("z");
  bus.Publish({.id = "acked", .key = "1", .wait_policy = WaitPolicy::kDurable, .required = {"a"}});
  bus.Publish({.id = "dead", .key = "2", .wait_policy = WaitPolicy::kDurable});
  bus.Publish({.id = "held", .key = "3", .wait_policy = WaitPolicy::kDurable});
  a.Ack("acked");
  a.DeadLetter("dead");
  a.Break();
  bus.Publish({.id = "missed", .key = "4", .wait_policy = WaitPolicy::kDurable});
  ASSERT_TRUE(bus.bus.registry().Delete("a", true, "").ok());
  bus.Publish({.id = "after", .key = "5", .wait_policy = WaitPolicy::kDurable});
  auto& again = bus.Add("a");
  again.registration.start_position.kind = StartPosition::Kind::kEarliest;
  again.Connect();
  again.AckAll();
  bus.Publish({.id = "new", .key = "6", .wait_policy = WaitPolicy::kDurable});
  Forget();

  EXPECT_EQ(bus.State("acked", "a"), DeliveryState::kSucceeded);
  EXPECT_TRUE(bus.Row("acked", "a").required);
  EXPECT_EQ(bus.State("dead", "a"), DeliveryState::kDeadLettered);
  EXPECT_EQ(bus.Row("dead", "a").reason, "TEST_REASON");
  for (const char* open : {"held", "missed"}) {
    EXPECT_EQ(bus.State(open, "a"), DeliveryState::kExpired) << open;
    EXPECT_EQ(bus.Row(open, "a").reason, "LISTENER_DELETED") << open;
  }
  EXPECT_EQ(bus.GetResult("after")->rows.size(), 1u) << "it was for z alone";
  EXPECT_EQ(bus.State("new", "a"), DeliveryState::kInFlight) << "of the new one";
  EXPECT_EQ(bus.GetResult("acked")->rows.size(), 2u);
}

TEST_F(JournalMemoryTest, ADeletedListenerIsForgottenWithTheLastEventThatWasForIt) {
  bus.Connect("a").Break();
  bus.Publish({.id = "x", .wait_policy = WaitPolicy::kDurable});
  bus.Publish({.id = "y", .wait_policy = WaitPolicy::kDurable});
  ASSERT_TRUE(bus.bus.registry().Delete("a", true, "").ok());
  EXPECT_EQ(bus.log.journal().Recover().former_listeners.size(), 1u);

  bus.bus.registry().ForgetFormer(2);
  EXPECT_EQ(bus.bus.registry().former_listeners().size(), 1u);
  bus.bus.registry().ForgetFormer(3);

  EXPECT_TRUE(bus.bus.registry().former_listeners().empty());
  EXPECT_TRUE(bus.log.journal().Recover().former_listeners.empty());
  EXPECT_EQ(bus.log.journal().Recover().last_listener_id, 1u);
}

TEST_F(JournalMemoryTest, OnlySoManyDeletedListenersAreKnown) {
  bus.limits.max_listeners = 3;
  for (int i = 0; i < 5; ++i) {
    const std::string name = "a" + std::to_string(i);
    bus.Connect(name).Break();
    ASSERT_TRUE(bus.bus.registry().Delete(name, true, "").ok());
  }
  EXPECT_EQ(bus.bus.registry().former_listeners().size(), 3u);
  EXPECT_EQ(*bus.bus.registry().former_listeners().front().shared_name(), "a2");
}

TEST_F(JournalMemoryTest, ADeliveryThatEndsWhileAResultIsReadIsInIt) {
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x", .wait_policy = WaitPolicy::kDurable});
  Forget();
  bus.log.hold_lookups = true;
  auto result = bus.GetResult("x");
  bus.log.CompleteLookups(1);  // the event is found, its deliveries are being read
  a.Settle(a.SettlementFor(a.Newest("x").delivery.delivery_id, Outcome::kDeadLetter));
  bus.log.hold_lookups = false;
  bus.log.CompleteLookups();

  ASSERT_TRUE(result->done());
  EXPECT_EQ(result->At("a").state, DeliveryState::kDeadLettered);
}

TEST_F(JournalMemoryTest, AnOldEventCanBeWaitedFor) {
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x", .wait_policy = WaitPolicy::kDurable});
  Forget();

  const auto settled = bus.GetResult("x", WaitPolicy::kSettled, seconds(20));
  EXPECT_FALSE(settled->done());
  a.Ack("x");

  ASSERT_TRUE(settled->done());
  EXPECT_EQ(settled->At("a").state, DeliveryState::kSucceeded);
  Forget();
}

TEST_F(JournalMemoryTest, AnOldEventThatExpiresIsNotWaitedForAnyLonger) {
  auto& a = bus.Connect("a");
  a.Break();
  bus.Publish({.id = "x", .expires_in = seconds(5), .wait_policy = WaitPolicy::kDurable});
  Forget();

  const auto settled = bus.GetResult("x", WaitPolicy::kSettled, seconds(20));
  bus.Advance(seconds(6));

  ASSERT_TRUE(settled->done());
  EXPECT_EQ(settled->At("a").state, DeliveryState::kExpired);
  EXPECT_EQ(a.subscription().backlog(), 0u);
  Forget();
  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kExpired);
}

TEST_F(JournalMemoryTest, WhoeverLeavesWhileTheJournalLooksIsForgotten) {
  bus.Publish({.id = "x", .wait_policy = WaitPolicy::kDurable});
  Forget();
  bus.log.hold_lookups = true;
  int calls = 0;
  const int caller = 0;
  const EventKey key{EventKey::Kind::kEventId, "x"};
  bus.bus.GetResult(
      key, WaitPolicy::kNone, Duration(0),
      [&calls](const auto& reply) {
        ++calls;
        EXPECT_EQ(reply.status().code(), absl::StatusCode::kCancelled);
      },
      &caller);
  bus.bus.Leave(key, &caller);
  EXPECT_EQ(calls, 1);
  bus.log.CompleteLookups();
  bus.log.CompleteLookups();
  EXPECT_EQ(calls, 1);
}

TEST_F(JournalMemoryTest, ABacklogIsReadFromTheJournalAndCountedWithoutLookingAtIt) {
  auto& a = bus.Connect("a");
  a.Break();
  for (int i = 0; i < 2000; ++i) bus.Publish({.key = "k" + std::to_string(i), .wait_policy = WaitPolicy::kDurable});
  Forget();
  EXPECT_EQ(a.subscription().backlog(), 2000u);

  a.Connect();
  for (int round = 0; round < 100 && a.subscription().backlog() > 0; ++round) {
    a.AckAll();
    bus.Advance(milliseconds(5));
  }

  EXPECT_EQ(a.subscription().backlog(), 0u);
  EXPECT_EQ(a.received.size(), 2000u);
}

TEST_F(JournalMemoryTest, WhatAListenerSeesIsWhatItWantedWhenItWasPublished) {
  auto& a = bus.Add("a");
  a.registration.filter = *Filter::ParseForEvents("source = old");
  a.Connect();
  a.Break();
  bus.Publish({.id = "1", .key = "1", .source = "old", .wait_policy = WaitPolicy::kDurable});
  bus.Publish({.id = "2", .key = "2", .source = "new", .wait_policy = WaitPolicy::kDurable});
  Forget();
  a.registration.filter = *Filter::ParseForEvents("source = new");
  a.Connect();
  bus.Publish({.id = "3", .key = "3", .source = "new", .wait_policy = WaitPolicy::kDurable});

  EXPECT_EQ(a.Order(), (Ids{"1", "3"}));
  a.AckAll();
  EXPECT_EQ(a.subscription().backlog(), 0u);
}

TEST_F(JournalMemoryTest, AncestorsAreKnownWithoutTheirPublications) {
  auto& a = bus.Connect("a");
  bus.Publish({.id = "root", .key = "1", .wait_policy = WaitPolicy::kDurable});
  Forget();

  const auto child = bus.Publish({.id = "child", .key = "2", .parent = "root"});
  ASSERT_TRUE(child->done());
  EXPECT_EQ(child->At("a").state, DeliveryState::kDeferred);
  Forget();
  const auto grandchild = bus.Publish({.id = "grandchild", .key = "3", .parent = "child"});
  EXPECT_EQ(grandchild->At("a").state, DeliveryState::kDeferred);
  Forget();
  EXPECT_EQ(a.Held(), (Ids{"root"}));

  a.Ack("root");
  EXPECT_EQ(a.Held(), (Ids{"child", "grandchild"}));
}

TEST_F(JournalMemoryTest, ADamagedJournalRefusesPublishesAndGoesOnReading) {
  bus.Publish({.id = "x", .wait_policy = WaitPolicy::kDurable});
  Forget();
  bus.log.damaged = true;

  const auto refused = bus.Publish({.id = "y"});

  EXPECT_EQ(refused->status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ErrorReason(refused->status), "JOURNAL_DAMAGED");
  EXPECT_TRUE(bus.GetResult("x")->status.ok());
}

}  // namespace
}  // namespace pvebus::bus
