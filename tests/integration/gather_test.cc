#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/bus_process.h"
#include "tests/support/messages.h"
#include "tests/support/raw_listener.h"

namespace pvebus::testing {
namespace {

using bus::v1::DELIVERY_STATE_DEAD_LETTERED;
using bus::v1::DELIVERY_STATE_IN_FLIGHT;
using bus::v1::DELIVERY_STATE_OFFLINE;
using bus::v1::DELIVERY_STATE_RETRY_SCHEDULED;
using bus::v1::DELIVERY_STATE_SUCCEEDED;
using bus::v1::REJECT_MODE_DEAD_LETTER;
using bus::v1::REJECT_MODE_RETRY;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

class GatherTest : public ::testing::Test {
 protected:
  std::unique_ptr<RawListener> Listen(const bus::v1::Registration& registration) {
    auto listener = std::make_unique<RawListener>(bus_.address(), registration);
    listener->WaitRegistered();
    return listener;
  }
  std::unique_ptr<RawListener> Listen(const std::string& name) { return Listen(RegistrationOf(name)); }

  BusProcess bus_;
};

TEST_F(GatherTest, OneReplyHasARowOfEachListenerWithWhatItSaid) {
  auto hangs = Listen("c-hangs");
  auto rejects = Listen("b-rejects");
  auto acks = Listen("a-acks");
  const auto begin = steady_clock::now();

  auto publishing =
      bus_.PublishLater(RequestOf(ContainerStartedEvent(101), bus::v1::WAIT_POLICY_FIRST_ATTEMPT, milliseconds(700)));
  acks->Ack(acks->NextDelivery().delivery_id());
  auto rejection = RejectionOf(REJECT_MODE_RETRY, 9, "BRIDGE_BUSY", "vmbr1 is in use by \"tap101i0\"");
  (*rejection.mutable_error()->mutable_metadata())["bridge"] = "vmbr1";
  rejects->Reject(rejects->NextDelivery().delivery_id(), rejection);
  hangs->NextDelivery();
  const auto response = publishing.get();

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(5));
  EXPECT_GE(steady_clock::now() - begin, milliseconds(690));
  const auto& result = response->result();
  ASSERT_EQ(result.listener_results_size(), 3) << result.DebugString();
  EXPECT_EQ(result.listener_results(0).listener(), "a-acks");
  EXPECT_EQ(result.listener_results(1).listener(), "b-rejects");
  EXPECT_EQ(result.listener_results(2).listener(), "c-hangs");
  EXPECT_EQ(result.listener_results(0).state(), DELIVERY_STATE_SUCCEEDED);
  EXPECT_FALSE(result.listener_results(0).has_error());
  EXPECT_EQ(result.listener_results(0).attempt(), 1u);
  EXPECT_GT(FromProto(result.listener_results(0).latency()).count(), 0);
  const auto& rejected = result.listener_results(1);
  EXPECT_EQ(rejected.state(), DELIVERY_STATE_RETRY_SCHEDULED);
  EXPECT_EQ(rejected.error().code(), 9);
  EXPECT_EQ(rejected.error().reason(), "BRIDGE_BUSY");
  EXPECT_EQ(rejected.error().message(), "vmbr1 is in use by \"tap101i0\"");
  EXPECT_EQ(rejected.error().metadata().at("bridge"), "vmbr1");
  EXPECT_TRUE(rejected.has_next_attempt_time());
  EXPECT_EQ(result.listener_results(2).state(), DELIVERY_STATE_IN_FLIGHT);
  EXPECT_NE(result.listener_results(2).error().code(), 0);
  EXPECT_FALSE(result.listener_results(2).error().message().empty());
  EXPECT_EQ(result.outcome(), bus::v1::PUBLISH_OUTCOME_PENDING);
  EXPECT_EQ(result.matched_count(), 3u);
  EXPECT_EQ(result.succeeded_count(), 1u);
  EXPECT_EQ(result.failed_count(), 1u);
  EXPECT_EQ(result.pending_count(), 1u);
  EXPECT_FALSE(result.settled());
}

TEST_F(GatherTest, WhatTheHooksOfAListenerDidReachesThePublisher) {
  auto listener = Listen("hooks");

  auto publishing = bus_.PublishLater(RequestOf(ContainerStartedEvent(101)));
  bus::v1::ListenRequest answer;
  auto& settlement = *answer.mutable_settlements()->add_settlements();
  settlement.set_delivery_id(listener->NextDelivery().delivery_id());
  auto& hook = *settlement.mutable_acknowledgement()->add_hook_results();
  hook.set_hook("container-network-setup");
  hook.set_state(bus::v1::HOOK_STATE_CHANGED);
  hook.set_resource("container/101");
  hook.set_before("down");
  hook.set_after("up");
  listener->Send(answer);
  const auto response = publishing.get();

  ASSERT_TRUE(response.ok()) << response.status();
  const auto row = RowOf(response->result(), "hooks");
  ASSERT_EQ(row.hook_results_size(), 1);
  EXPECT_EQ(row.hook_results(0).SerializeAsString(), hook.SerializeAsString());
  EXPECT_EQ(response->result().outcome(), bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
  EXPECT_TRUE(response->result().settled());
}

TEST_F(GatherTest, TenListenersThatWorkTwoSecondsAreWaitedForAtOnce) {
  std::vector<std::unique_ptr<RawListener>> listeners;
  for (int i = 0; i < 10; ++i) listeners.push_back(Listen("worker-" + std::to_string(i)));
  const auto begin = steady_clock::now();

  auto publishing = bus_.PublishLater(RequestOf(CustomEvent("work")));
  std::vector<std::thread> workers;
  for (auto& listener : listeners) {
    workers.emplace_back([&listener] {
      const auto delivery = listener->NextDelivery();
      LetPass(std::chrono::seconds(2));
      listener->Ack(delivery.delivery_id());
    });
  }
  const auto response = publishing.get();
  const auto took = steady_clock::now() - begin;
  for (auto& worker : workers) worker.join();

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->result().succeeded_count(), 10u);
  EXPECT_LT(took, std::chrono::seconds(3));
}

TEST_F(GatherTest, DurableReturnsBeforeAnybodyAnswers) {
  auto listener = Listen("slow");

  const auto response = bus_.Publish(RequestOf(CustomEvent("x"), bus::v1::WAIT_POLICY_DURABLE));

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->result().matched_count(), 1u);
  EXPECT_EQ(response->result().pending_count(), 1u);
  listener->Ack(listener->NextDelivery().delivery_id());
  EXPECT_TRUE(bus_.Result(response->result().event_id(), bus::v1::WAIT_POLICY_SETTLED).settled());
}

TEST_F(GatherTest, SettledWaitsForTheRetriesToo) {
  auto listener = Listen(QuickRetries(RegistrationOf("retries")));

  auto publishing = bus_.PublishLater(RequestOf(CustomEvent("x"), bus::v1::WAIT_POLICY_SETTLED));
  listener->Reject(listener->NextDelivery().delivery_id());
  listener->Ack(listener->NextDelivery().delivery_id());
  const auto response = publishing.get();

  ASSERT_TRUE(response.ok()) << response.status();
  const auto row = RowOf(response->result(), "retries");
  EXPECT_EQ(row.state(), DELIVERY_STATE_SUCCEEDED);
  EXPECT_EQ(row.attempt(), 2u);
  EXPECT_EQ(response->result().outcome(), bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
}

TEST_F(GatherTest, PartialMeansThatSomeSucceededAndNoneIsPending) {
  auto good = Listen("good");
  auto bad = Listen("bad");

  auto publishing = bus_.PublishLater(RequestOf(CustomEvent("x")));
  good->Ack(good->NextDelivery().delivery_id());
  bad->Reject(bad->NextDelivery().delivery_id(), RejectionOf(REJECT_MODE_DEAD_LETTER, 3, "NO_WAY", "never"));
  const auto response = publishing.get();

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->result().outcome(), bus::v1::PUBLISH_OUTCOME_PARTIAL);
  EXPECT_EQ(RowOf(response->result(), "bad").state(), DELIVERY_STATE_DEAD_LETTERED);
  EXPECT_TRUE(response->result().settled());
}

TEST_F(GatherTest, NobodyListeningIsSaid) {
  const auto response = bus_.Publish(CustomEvent("x"));

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->result().outcome(), bus::v1::PUBLISH_OUTCOME_NO_LISTENERS);
  EXPECT_EQ(response->result().sequence(), 1u);
  EXPECT_TRUE(response->result().settled());
}

TEST_F(GatherTest, AnOfflineListenerHasARowAndIsNotWaitedFor) {
  Listen("away")->Cancel();
  WaitFor("away to be gone", [&] { return bus_.HasState("away", bus::v1::LISTENER_STATE_DISCONNECTED); });
  const auto begin = steady_clock::now();

  const auto response = bus_.Publish(CustomEvent("x"));

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(2));
  EXPECT_EQ(RowOf(response->result(), "away").state(), DELIVERY_STATE_OFFLINE);
  EXPECT_EQ(response->result().outcome(), bus::v1::PUBLISH_OUTCOME_PENDING);
  auto back = Listen("away");
  const auto delivery = back->NextDelivery();
  EXPECT_EQ(delivery.event().event_id(), response->result().event_id());
  EXPECT_EQ(delivery.attempt(), 1u);
}

TEST_F(GatherTest, ARequiredListenerIsWaitedForEvenWhenItIsOffline) {
  Listen("needed")->Cancel();
  WaitFor("needed to be gone", [&] { return bus_.HasState("needed", bus::v1::LISTENER_STATE_DISCONNECTED); });
  auto request = RequestOf(CustomEvent("x"));
  request.add_required_listeners("needed");
  request.set_request_id("waits-for-needed");

  auto publishing = bus_.PublishLater(request);
  bus::v1::GetPublishResultRequest key;
  key.set_request_id("waits-for-needed");
  WaitFor("the event to be journaled", [&] { return Call(&bus::v1::BusService::Stub::GetPublishResult, bus_.bus(), key).ok(); });
  auto back = Listen("needed");
  back->Ack(back->NextDelivery().delivery_id());
  const auto response = publishing.get();

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(RowOf(response->result(), "needed").state(), DELIVERY_STATE_SUCCEEDED);
  EXPECT_TRUE(RowOf(response->result(), "needed").required());
}

TEST_F(GatherTest, AFailingRequiredListenerFailsThePublish) {
  auto needed = Listen("needed");
  auto other = Listen("other");
  auto request = RequestOf(CustomEvent("x"));
  request.add_required_listeners("needed");

  auto publishing = bus_.PublishLater(request);
  other->Ack(other->NextDelivery().delivery_id());
  needed->Reject(needed->NextDelivery().delivery_id(), RejectionOf(REJECT_MODE_DEAD_LETTER, 9, "BROKEN", "it is"));
  const auto response = publishing.get();

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->result().outcome(), bus::v1::PUBLISH_OUTCOME_FAILED);
}

TEST_F(GatherTest, WithoutARequiredListenerNothingIsStored) {
  auto request = RequestOf(CustomEvent("x"));
  request.add_required_listeners("nobody");

  const auto response = bus_.Publish(request);

  EXPECT_THAT(response.status(), IsError(absl::StatusCode::kFailedPrecondition, "REQUIRED_LISTENER_MISSING"));
  EXPECT_EQ(bus_.Publish(CustomEvent("next"))->result().sequence(), 1u);
}

TEST_F(GatherTest, TheCallersDeadlineEndsTheWaitBeforeItEndsTheCall) {
  auto hangs = Listen("hangs");

  const auto response =
      bus_.Publish(RequestOf(CustomEvent("x"), bus::v1::WAIT_POLICY_FIRST_ATTEMPT, milliseconds(10000)), milliseconds(1000));

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->result().outcome(), bus::v1::PUBLISH_OUTCOME_PENDING);
}

TEST_F(GatherTest, OnlyMatchingListenersHaveARow) {
  auto by_type = RegistrationOf("by-type");
  by_type.add_event_types(event::v1::EVENT_TYPE_NETWORK_APPLIED);
  auto network = Listen(by_type);
  auto by_filter = RegistrationOf("by-filter");
  by_filter.set_filter("event_type = custom AND attributes.zone = \"dmz\"");
  auto filtered = Listen(by_filter);
  auto event = CustomEvent("x");
  (*event.mutable_attributes())["zone"] = "dmz";

  auto publishing = bus_.PublishLater(RequestOf(event));
  filtered->Ack(filtered->NextDelivery().delivery_id());
  const auto response = publishing.get();

  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->result().listener_results_size(), 1);
  EXPECT_EQ(response->result().listener_results(0).listener(), "by-filter");
}

TEST_F(GatherTest, ValidateOnlySaysWhoWouldGetItAndStoresNothing) {
  auto listener = Listen("would");
  auto request = RequestOf(CustomEvent("x"));
  request.set_validate_only(true);

  const auto response = bus_.Publish(request);

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->result().sequence(), 0u);
  EXPECT_EQ(response->result().matched_count(), 1u);
  EXPECT_TRUE(listener->NoDeliveryWithin(milliseconds(200)));
  EXPECT_EQ(bus_.Result(bus_.PublishDurable(CustomEvent("next"))).sequence(), 1u);
}

TEST_F(GatherTest, ABatchIsAnsweredInOrderWithTheRefusalsInTheirPlaces) {
  auto listener = Listen("batch");
  bus::v1::BatchPublishRequest batch;
  *batch.add_requests() = RequestOf(KeyedEvent("a"), bus::v1::WAIT_POLICY_DURABLE);
  *batch.add_requests() = RequestOf(event::v1::SystemEvent(), bus::v1::WAIT_POLICY_DURABLE);
  *batch.add_requests() = RequestOf(KeyedEvent("b"), bus::v1::WAIT_POLICY_DURABLE);

  const auto response = Call(&bus::v1::BusService::Stub::BatchPublish, bus_.bus(), batch);

  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->responses_size(), 3);
  EXPECT_EQ(response->responses(0).result().sequence(), 1u);
  EXPECT_EQ(response->responses(1).error().reason(), "PAYLOAD_MISSING");
  EXPECT_EQ(response->responses(1).error().code(), 3);
  EXPECT_FALSE(response->responses(1).has_result());
  EXPECT_EQ(response->responses(2).result().sequence(), 2u);
  EXPECT_EQ(listener->NextDeliveries(2).size(), 2u);
}

}  // namespace
}  // namespace pvebus::testing
