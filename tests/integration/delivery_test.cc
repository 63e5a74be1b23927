// Order, retries, dead letters: what the bus does with an event until it is settled.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/bus_process.h"
#include "tests/support/messages.h"
#include "tests/support/raw_listener.h"

namespace pvebus::testing {
namespace {

using bus::v1::DELIVERY_STATE_DEAD_LETTERED;
using bus::v1::DELIVERY_STATE_EXPIRED;
using bus::v1::DELIVERY_STATE_RETRY_SCHEDULED;
using bus::v1::DELIVERY_STATE_SKIPPED;
using bus::v1::DELIVERY_STATE_SUCCEEDED;
using bus::v1::WAIT_POLICY_SETTLED;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

class DeliveryTest : public ::testing::Test {
 protected:
  std::unique_ptr<RawListener> Listen(const bus::v1::Registration& registration) {
    auto listener = std::make_unique<RawListener>(bus_.address(), registration);
    listener->WaitRegistered();
    return listener;
  }
  bus::v1::Registration Quick(uint32_t max_attempts = 3) { return QuickRetries(RegistrationOf(kName), max_attempts); }
  bus::v1::ListenerResult Row(const std::string& event_id, bus::v1::WaitPolicy policy = bus::v1::WAIT_POLICY_UNSPECIFIED) {
    return RowOf(bus_.Result(event_id, policy), kName);
  }

  static constexpr char kName[] = "worker";
  BusProcess bus_;
};

TEST_F(DeliveryTest, TheNextOfAKeyWaitsUntilTheEarlierIsSettledAndOtherKeysFlow) {
  auto listener = Listen(Quick());
  const auto a1 = bus_.PublishDurable(KeyedEvent("a"));
  const auto a2 = bus_.PublishDurable(KeyedEvent("a"));
  const auto b1 = bus_.PublishDurable(KeyedEvent("b"));

  auto deliveries = listener->NextDeliveries(2);
  EXPECT_EQ(deliveries[0].event().event_id(), a1);
  EXPECT_EQ(deliveries[1].event().event_id(), b1);
  EXPECT_TRUE(listener->NoDeliveryWithin(milliseconds(200)));
  listener->Ack(deliveries[0].delivery_id());

  EXPECT_EQ(listener->NextDelivery().event().event_id(), a2);
}

TEST_F(DeliveryTest, ARejectedEventKeepsItsPlaceBeforeTheNextOfItsKey) {
  auto listener = Listen(Quick());
  const auto first = bus_.PublishDurable(KeyedEvent("a"));
  const auto second = bus_.PublishDurable(KeyedEvent("a"));

  listener->Reject(listener->NextDelivery().delivery_id());
  const auto again = listener->NextDelivery();
  EXPECT_EQ(again.event().event_id(), first);
  EXPECT_EQ(again.attempt(), 2u);
  listener->Ack(again.delivery_id());

  EXPECT_EQ(listener->NextDelivery().event().event_id(), second);
}

TEST_F(DeliveryTest, AfterADeadLetterTheKeyFlowsAgain) {
  auto listener = Listen(Quick());
  const auto first = bus_.PublishDurable(KeyedEvent("a"));
  const auto second = bus_.PublishDurable(KeyedEvent("a"));

  listener->Reject(listener->NextDelivery().delivery_id(), RejectionOf(bus::v1::REJECT_MODE_DEAD_LETTER, 3, "BAD_EVENT", "no"));

  EXPECT_EQ(listener->NextDelivery().event().event_id(), second);
  EXPECT_EQ(Row(first).state(), DELIVERY_STATE_DEAD_LETTERED);
  EXPECT_EQ(Row(first).error().reason(), "BAD_EVENT");
  EXPECT_EQ(bus_.GetListener(kName)->dead_letters(), 1u);
  EXPECT_EQ(bus_.GetListener(kName)->last_error().reason(), "BAD_EVENT");
}

TEST_F(DeliveryTest, RetriesBackOffAndEndInADeadLetterWithTheLastError) {
  auto listener = Listen(Quick(3));
  const auto event_id = bus_.PublishDurable(CustomEvent("x"));
  std::vector<steady_clock::time_point> arrivals;
  std::vector<steady_clock::time_point> rejections;

  for (uint32_t attempt = 1; attempt <= 3; ++attempt) {
    const auto delivery = listener->NextDelivery();
    arrivals.push_back(steady_clock::now());
    EXPECT_EQ(delivery.attempt(), attempt);
    EXPECT_EQ(delivery.max_attempts(), 3u);
    rejections.push_back(steady_clock::now());
    listener->Reject(delivery.delivery_id(),
                     RejectionOf(bus::v1::REJECT_MODE_RETRY, 14, "TRY_" + std::to_string(attempt), "later"));
  }

  const auto row = Row(event_id, WAIT_POLICY_SETTLED);
  EXPECT_EQ(row.state(), DELIVERY_STATE_DEAD_LETTERED);
  EXPECT_EQ(row.attempt(), 3u);
  EXPECT_EQ(row.error().reason(), "TRY_3");
  EXPECT_GE(arrivals[1] - rejections[0], milliseconds(45));
  EXPECT_GE(arrivals[2] - rejections[1], milliseconds(90));
  EXPECT_LT(arrivals[2] - rejections[0], std::chrono::seconds(10));
}

TEST_F(DeliveryTest, ARejectionMaySayWhenToTryAgain) {
  auto listener = Listen(RegistrationOf(kName));
  const auto event_id = bus_.PublishDurable(CustomEvent("x"));
  auto rejection = RejectionOf(bus::v1::REJECT_MODE_RETRY, 14, "SOON", "");
  *rejection.mutable_retry_delay() = ProtoDuration(milliseconds(300));

  const auto delivery_id = listener->NextDelivery().delivery_id();
  const auto begin = steady_clock::now();
  listener->Reject(delivery_id, rejection);

  WaitFor("the row to be RETRY_SCHEDULED", [&] { return Row(event_id).state() == DELIVERY_STATE_RETRY_SCHEDULED; });
  EXPECT_EQ(listener->NextDelivery().attempt(), 2u);
  EXPECT_GE(steady_clock::now() - begin, milliseconds(250));
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(5)) << "the default backoff would be over, 60 s is its maximum";
}

TEST_F(DeliveryTest, ReleaseCountsNoAttempt) {
  auto listener = Listen(Quick(1));
  const auto event_id = bus_.PublishDurable(CustomEvent("x"));

  for (int i = 0; i < 3; ++i) {
    const auto delivery = listener->NextDelivery();
    EXPECT_EQ(delivery.attempt(), 1u);
    listener->Reject(delivery.delivery_id(), RejectionOf(bus::v1::REJECT_MODE_RELEASE, 14, "NOT_NOW", "busy"));
  }
  listener->Ack(listener->NextDelivery().delivery_id());

  const auto row = Row(event_id, WAIT_POLICY_SETTLED);
  EXPECT_EQ(row.state(), DELIVERY_STATE_SUCCEEDED);
  EXPECT_EQ(row.attempt(), 1u);
}

TEST_F(DeliveryTest, SkipSettlesWithoutAFailure) {
  auto listener = Listen(Quick());

  auto publishing = bus_.PublishLater(RequestOf(CustomEvent("x")));
  listener->Reject(listener->NextDelivery().delivery_id(), RejectionOf(bus::v1::REJECT_MODE_SKIP, 9, "NOT_MINE", ""));
  const auto response = publishing.get();

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(RowOf(response->result(), kName).state(), DELIVERY_STATE_SKIPPED);
  EXPECT_EQ(response->result().outcome(), bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
  EXPECT_EQ(response->result().succeeded_count(), 1u);
  EXPECT_TRUE(response->result().settled());
}

TEST_F(DeliveryTest, AMissedAckDeadlineIsAnAttempt) {
  auto registration = Quick(2);
  *registration.mutable_delivery_policy()->mutable_ack_deadline() = ProtoDuration(milliseconds(100));
  auto listener = Listen(registration);
  const auto event_id = bus_.PublishDurable(CustomEvent("x"));

  EXPECT_EQ(listener->NextDelivery().attempt(), 1u);
  EXPECT_EQ(listener->NextDelivery().attempt(), 2u);

  const auto row = Row(event_id, WAIT_POLICY_SETTLED);
  EXPECT_EQ(row.state(), DELIVERY_STATE_DEAD_LETTERED);
  EXPECT_EQ(row.error().code(), 4) << row.DebugString();
}

TEST_F(DeliveryTest, ALateAckOfAnUnsettledDeliveryCounts) {
  auto registration = Quick(5);
  *registration.mutable_delivery_policy()->mutable_ack_deadline() = ProtoDuration(milliseconds(100));
  *registration.mutable_delivery_policy()->mutable_minimum_backoff() = ProtoDuration(std::chrono::seconds(30));
  *registration.mutable_delivery_policy()->mutable_maximum_backoff() = ProtoDuration(std::chrono::seconds(30));
  auto listener = Listen(registration);
  const auto event_id = bus_.PublishDurable(CustomEvent("x"));
  const auto delivery = listener->NextDelivery();
  WaitFor("the ack deadline to pass", [&] { return Row(event_id).state() == DELIVERY_STATE_RETRY_SCHEDULED; });

  listener->Ack(delivery.delivery_id());

  EXPECT_EQ(listener->NextConfirmation().status(), bus::v1::CONFIRMATION_STATUS_ACCEPTED_LATE);
  EXPECT_EQ(Row(event_id).state(), DELIVERY_STATE_SUCCEEDED);
  EXPECT_TRUE(listener->NoDeliveryWithin(milliseconds(200)));
}

TEST_F(DeliveryTest, AnExtensionMovesTheAckDeadline) {
  auto registration = Quick(2);
  *registration.mutable_delivery_policy()->mutable_ack_deadline() = ProtoDuration(milliseconds(300));
  auto listener = Listen(registration);
  const auto event_id = bus_.PublishDurable(CustomEvent("x"));
  const auto delivery = listener->NextDelivery();

  listener->Extend(delivery.delivery_id(), std::chrono::seconds(5));

  EXPECT_TRUE(listener->NoDeliveryWithin(milliseconds(700)));
  listener->Ack(delivery.delivery_id(), true);
  EXPECT_EQ(listener->NextConfirmation().status(), bus::v1::CONFIRMATION_STATUS_ACCEPTED);
  EXPECT_EQ(Row(event_id).attempt(), 1u);
}

TEST_F(DeliveryTest, ExtensionsEndAtTheirLimit) {
  auto registration = Quick(2);
  *registration.mutable_delivery_policy()->mutable_ack_deadline() = ProtoDuration(milliseconds(100));
  *registration.mutable_delivery_policy()->mutable_max_ack_extension() = ProtoDuration(milliseconds(200));
  auto listener = Listen(registration);
  bus_.PublishDurable(CustomEvent("x"));
  const auto begin = steady_clock::now();

  listener->Extend(listener->NextDelivery().delivery_id(), std::chrono::hours(1));

  EXPECT_EQ(listener->NextDelivery().attempt(), 2u);
  EXPECT_GE(steady_clock::now() - begin, milliseconds(280));
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(10)) << "an hour was asked for";
}

TEST_F(DeliveryTest, AnEventInFlightInThreeLostSessionsIsDeadLettered) {
  const auto event_id = [&] {
    auto first = Listen(Quick());
    const auto id = bus_.PublishDurable(CustomEvent("poison"));
    EXPECT_EQ(first->NextDelivery().attempt(), 1u);
    return id;
  }();
  for (int lost = 2; lost <= 3; ++lost) {
    WaitFor("the name to be free", [&] { return bus_.HasState(kName, bus::v1::LISTENER_STATE_DISCONNECTED); });
    auto listener = Listen(Quick());
    EXPECT_EQ(listener->NextDelivery().attempt(), 1u) << "a lost session counts no attempt";
  }

  const auto row = Row(event_id, WAIT_POLICY_SETTLED);

  EXPECT_EQ(row.state(), DELIVERY_STATE_DEAD_LETTERED);
  EXPECT_FALSE(row.error().reason().empty());
}

TEST_F(DeliveryTest, WhatExpiresBeforeItIsDeliveredEndsAsExpired) {
  Listen(Quick())->Cancel();
  WaitFor("the listener to be gone", [&] { return bus_.HasState(kName, bus::v1::LISTENER_STATE_DISCONNECTED); });
  auto event = CustomEvent("x");
  *event.mutable_expire_time() = ProtoTime(std::chrono::system_clock::now() + milliseconds(300));
  const auto event_id = bus_.PublishDurable(event);

  EXPECT_EQ(Row(event_id, WAIT_POLICY_SETTLED).state(), DELIVERY_STATE_EXPIRED);

  auto back = Listen(Quick());
  EXPECT_TRUE(back->NoDeliveryWithin(milliseconds(200)));
}

TEST_F(DeliveryTest, WhatExpiresBehindAnotherOfItsKeyIsNotSent) {
  auto listener = Listen(Quick());
  bus_.PublishDurable(KeyedEvent("a"));
  const auto first = listener->NextDelivery();
  auto event = KeyedEvent("a");
  *event.mutable_expire_time() = ProtoTime(std::chrono::system_clock::now() + milliseconds(300));
  const auto event_id = bus_.PublishDurable(event);

  EXPECT_EQ(Row(event_id, WAIT_POLICY_SETTLED).state(), DELIVERY_STATE_EXPIRED);

  listener->Ack(first.delivery_id());
  EXPECT_TRUE(listener->NoDeliveryWithin(milliseconds(200)));
}

TEST_F(DeliveryTest, TheWindowBoundsWhatIsUnanswered) {
  auto registration = Quick();
  registration.set_max_in_flight(2);
  auto listener = Listen(registration);
  for (int i = 0; i < 5; ++i) bus_.PublishDurable(KeyedEvent("key-" + std::to_string(i)));

  const auto first = listener->NextDeliveries(2);
  EXPECT_TRUE(listener->NoDeliveryWithin(milliseconds(200)));
  EXPECT_EQ(bus_.GetListener(kName)->in_flight(), 2u);
  EXPECT_EQ(bus_.GetListener(kName)->backlog(), 5u);
  listener->Ack(first[0].delivery_id());
  listener->NextDelivery();
  EXPECT_TRUE(listener->NoDeliveryWithin(milliseconds(200)));
  listener->UpdateFlow(4);

  EXPECT_EQ(listener->NextDeliveries(2).size(), 2u);
}

TEST_F(DeliveryTest, AConfirmationSaysWhatBecameOfEachAnswer) {
  auto listener = Listen(Quick());
  bus_.PublishDurable(CustomEvent("x"));
  const auto delivery = listener->NextDelivery();

  listener->Ack(delivery.delivery_id(), true);
  EXPECT_EQ(listener->NextConfirmation().status(), bus::v1::CONFIRMATION_STATUS_ACCEPTED);
  listener->Ack(delivery.delivery_id());
  EXPECT_EQ(listener->NextConfirmation().status(), bus::v1::CONFIRMATION_STATUS_ALREADY_SETTLED);
  listener->Ack(delivery.delivery_id() + 1000);

  EXPECT_EQ(listener->NextConfirmation().status(), bus::v1::CONFIRMATION_STATUS_UNKNOWN_DELIVERY);
}

TEST_F(DeliveryTest, ADrainingListenerGetsNothingMoreAndEndsWhenItHasAnswered) {
  auto listener = Listen(Quick());
  const auto first = bus_.PublishDurable(KeyedEvent("a"));
  const auto delivery = listener->NextDelivery();

  listener->Drain();
  WaitFor("the listener to drain", [&] { return bus_.HasState(kName, bus::v1::LISTENER_STATE_DRAINING); });
  const auto second = bus_.PublishDurable(KeyedEvent("b"));
  EXPECT_TRUE(listener->NoDeliveryWithin(milliseconds(200)));
  listener->Ack(delivery.delivery_id());

  EXPECT_TRUE(listener->WaitEnd().ok());
  EXPECT_EQ(Row(first).state(), DELIVERY_STATE_SUCCEEDED);
  auto next = Listen(Quick());
  EXPECT_EQ(next->NextDelivery().event().event_id(), second);
}

}  // namespace
}  // namespace pvebus::testing
