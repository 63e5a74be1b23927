// Handlers that publish.
#include <atomic>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/bus_process.h"
#include "tests/support/messages.h"
#include "tests/support/raw_listener.h"

namespace pvebus::testing {
namespace {

using bus::v1::DELIVERY_STATE_DEFERRED;
using bus::v1::DELIVERY_STATE_SUCCEEDED;
using bus::v1::WAIT_POLICY_SETTLED;
using std::chrono::milliseconds;

class NestedTest : public ::testing::Test {
 protected:
  std::unique_ptr<RawListener> Listen(const std::string& name) {
    auto listener = std::make_unique<RawListener>(bus_.address(), RegistrationOf(name));
    listener->WaitRegistered();
    return listener;
  }

  BusProcess bus_;
};

TEST_F(NestedTest, AHandlerThatPublishesAndWaitsForEveryoneDoesNotWaitForItself) {
  auto handler = Listen("handler");
  auto other = Listen("other");
  const auto begin = std::chrono::steady_clock::now();

  auto publishing = bus_.PublishLater(RequestOf(CustomEvent("parent")));
  const auto parent = handler->NextDelivery();
  other->Ack(other->NextDelivery().delivery_id(), true);
  other->NextConfirmation();  // until then it is busy with the parent too
  auto nesting = bus_.PublishLater(RequestOf(ChildOf(parent.event().event_id(), CustomEvent("child"))));
  other->Ack(other->NextDelivery().delivery_id());
  const auto nested = nesting.get();
  ASSERT_TRUE(nested.ok()) << nested.status();
  EXPECT_EQ(RowOf(nested->result(), "handler").state(), DELIVERY_STATE_DEFERRED);
  EXPECT_EQ(RowOf(nested->result(), "other").state(), DELIVERY_STATE_SUCCEEDED);
  EXPECT_TRUE(handler->NoDeliveryWithin(milliseconds(200))) << "deferred means after the ancestor";
  handler->Ack(parent.delivery_id());
  const auto response = publishing.get();

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->result().outcome(), bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  const auto child = handler->NextDelivery();
  EXPECT_EQ(child.event().event_id(), nested->result().event_id());
  EXPECT_EQ(child.event().causation().hop_count(), 1u);
  handler->Ack(child.delivery_id());
  EXPECT_EQ(RowOf(bus_.Result(nested->result().event_id(), WAIT_POLICY_SETTLED), "handler").state(), DELIVERY_STATE_SUCCEEDED);
}

TEST_F(NestedTest, AGrandchildDoesNotWaitForAnyOfItsBusyAncestors) {
  auto first = Listen("first");
  auto second = Listen("second");

  const auto grandparent = bus_.PublishDurable(CustomEvent("grandparent"));
  const auto held_by_first = first->NextDelivery();
  second->Ack(second->NextDelivery().delivery_id());
  const auto parent = bus_.PublishDurable(ChildOf(grandparent, CustomEvent("parent")));
  const auto held_by_second = second->NextDelivery();
  EXPECT_EQ(held_by_second.event().event_id(), parent);
  const auto response = bus_.Publish(RequestOf(ChildOf(parent, CustomEvent("child"))));

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(RowOf(response->result(), "first").state(), DELIVERY_STATE_DEFERRED);
  EXPECT_EQ(RowOf(response->result(), "second").state(), DELIVERY_STATE_DEFERRED);
}

TEST_F(NestedTest, ADeferredEventOfTheSameKeyIsDeliveredAfterwards) {
  auto handler = Listen("handler");
  const auto parent_id = bus_.PublishDurable(KeyedEvent("one-key"));
  const auto parent = handler->NextDelivery();

  const auto nested = bus_.Publish(RequestOf(ChildOf(parent_id, KeyedEvent("one-key"))));
  ASSERT_TRUE(nested.ok()) << nested.status();
  EXPECT_EQ(RowOf(nested->result(), "handler").state(), DELIVERY_STATE_DEFERRED);
  handler->Ack(parent.delivery_id());

  EXPECT_EQ(handler->NextDelivery().event().event_id(), nested->result().event_id());
}

TEST_F(NestedTest, TwoHandlersThatAnswerEachOthersEventsStopAtTheHopLimit) {
  auto ping_registration = RegistrationOf("ping");
  ping_registration.set_filter("ordering_key = \"custom/pong\"");
  auto pong_registration = RegistrationOf("pong");
  pong_registration.set_filter("ordering_key = \"custom/ping\"");
  RawListener ping(bus_.address(), ping_registration);
  RawListener pong(bus_.address(), pong_registration);
  ping.WaitRegistered();
  pong.WaitRegistered();
  std::vector<RawListener*> sides = {&pong, &ping};
  const std::string names[] = {"ping", "pong"};
  bus_.PublishDurable(CustomEvent("ping"));

  absl::Status refused;
  uint32_t hops = 0;
  for (int turn = 0; refused.ok() && turn < 20; ++turn) {
    const auto delivery = sides[turn % 2]->NextDelivery();
    ASSERT_NE(delivery.delivery_id(), 0u);
    hops = delivery.event().causation().hop_count();
    EXPECT_EQ(hops, static_cast<uint32_t>(turn));
    const auto answer = ChildOf(delivery.event().event_id(), CustomEvent(names[(turn + 1) % 2]));
    refused = bus_.Publish(RequestOf(answer, bus::v1::WAIT_POLICY_DURABLE)).status();
    sides[turn % 2]->Ack(delivery.delivery_id());
  }

  EXPECT_THAT(refused, IsError(absl::StatusCode::kFailedPrecondition, "HOP_LIMIT_EXCEEDED"));
  EXPECT_EQ(hops, 8u);
  const auto next = bus_.Publish(CustomEvent("next"));
  EXPECT_EQ(next->result().sequence(), 10u) << "nothing of the refused event was stored";
}

TEST_F(NestedTest, TheParentMustBeInTheJournalAndWhatThePublisherCountsIsIgnored) {
  const auto unknown = bus_.Publish(RequestOf(ChildOf("no-such-event", CustomEvent("x"))));
  EXPECT_THAT(unknown.status(), IsError(absl::StatusCode::kFailedPrecondition, "PARENT_UNKNOWN"));

  auto listener = Listen("handler");
  auto event = ChildOf(bus_.PublishDurable(CustomEvent("parent")), KeyedEvent("child"));
  event.mutable_causation()->set_hop_count(7);
  listener->Ack(listener->NextDelivery().delivery_id());
  bus_.PublishDurable(event);

  EXPECT_EQ(listener->NextDelivery().event().causation().hop_count(), 1u);
}

}  // namespace
}  // namespace pvebus::testing
