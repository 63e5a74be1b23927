// The same publish again.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/bus_process.h"
#include "tests/support/messages.h"
#include "tests/support/raw_listener.h"

namespace pvebus::testing {
namespace {

using absl::StatusCode;
using std::chrono::milliseconds;

class DedupeTest : public ::testing::Test {
 protected:
  static bus::v1::PublishRequest WithRequestId(const std::string& request_id, event::v1::SystemEvent event) {
    auto request = RequestOf(std::move(event), bus::v1::WAIT_POLICY_DURABLE);
    request.set_request_id(request_id);
    return request;
  }
  static event::v1::SystemEvent WithEventId(const std::string& event_id, event::v1::SystemEvent event) {
    event.set_event_id(event_id);
    return event;
  }

  BusProcess bus_;
};

TEST_F(DedupeTest, TheSameRequestIdGetsTheFirstResultAndNoSecondFanOut) {
  RawListener listener(bus_.address(), RegistrationOf("once"));
  listener.WaitRegistered();
  const auto first = bus_.Publish(WithRequestId("apply-1", CustomEvent("x")));
  listener.Ack(listener.NextDelivery().delivery_id());

  auto again_request = WithRequestId("apply-1", CustomEvent("x"));
  again_request.set_wait_policy(bus::v1::WAIT_POLICY_SETTLED);
  const auto again = bus_.Publish(again_request);

  ASSERT_TRUE(first.ok() && again.ok()) << first.status() << again.status();
  EXPECT_FALSE(first->duplicate());
  EXPECT_TRUE(again->duplicate());
  EXPECT_EQ(again->result().event_id(), first->result().event_id());
  EXPECT_EQ(again->result().sequence(), first->result().sequence());
  EXPECT_EQ(again->result().outcome(), bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
  EXPECT_TRUE(listener.NoDeliveryWithin(milliseconds(200)));
}

TEST_F(DedupeTest, TheSameEventIdIsTheSameEvent) {
  const auto first = bus_.Publish(RequestOf(WithEventId("my-id", CustomEvent("x"))));

  const auto again = bus_.Publish(RequestOf(WithEventId("my-id", CustomEvent("x"))));

  ASSERT_TRUE(first.ok() && again.ok()) << first.status() << again.status();
  EXPECT_EQ(first->result().event_id(), "my-id");
  EXPECT_TRUE(again->duplicate());
  EXPECT_EQ(again->result().sequence(), 1u);
}

TEST_F(DedupeTest, TheSameIdWithAnotherBodyIsRefused) {
  ASSERT_TRUE(bus_.Publish(WithRequestId("apply-1", WithEventId("my-id", CustomEvent("x")))).ok());

  EXPECT_THAT(bus_.Publish(WithRequestId("apply-1", CustomEvent("y"))).status(),
              IsError(StatusCode::kAlreadyExists, "REQUEST_ID_CONFLICT"));
  EXPECT_THAT(bus_.Publish(RequestOf(WithEventId("my-id", CustomEvent("y")))).status(),
              IsError(StatusCode::kAlreadyExists, "EVENT_ID_CONFLICT"));
}

TEST_F(DedupeTest, TheResultIsFoundByEitherId) {
  const auto first = bus_.Publish(WithRequestId("apply-1", CustomEvent("x")));
  ASSERT_TRUE(first.ok()) << first.status();
  bus::v1::GetPublishResultRequest by_request;
  by_request.set_request_id("apply-1");

  const auto found = Call(&bus::v1::BusService::Stub::GetPublishResult, bus_.bus(), by_request);

  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->result().event_id(), first->result().event_id());
  EXPECT_EQ(bus_.Result(first->result().event_id()).sequence(), 1u);
  by_request.set_request_id("never-used");
  const auto unknown = Call(&bus::v1::BusService::Stub::GetPublishResult, bus_.bus(), by_request);
  EXPECT_THAT(unknown.status(), IsError(StatusCode::kNotFound, "EVENT_NOT_FOUND"));
  const auto no_key = Call(&bus::v1::BusService::Stub::GetPublishResult, bus_.bus(), {});
  EXPECT_EQ(no_key.status().code(), StatusCode::kInvalidArgument);
}

TEST_F(DedupeTest, APublisherThatCancelledFindsOutWhatBecameOfItsEvent) {
  RawListener listener(bus_.address(), RegistrationOf("slow"));
  listener.WaitRegistered();
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  auto request = WithRequestId("cut-off", CustomEvent("x"));
  request.set_wait_policy(bus::v1::WAIT_POLICY_FIRST_ATTEMPT);
  bus::v1::PublishResponse response;
  grpc::Status status;
  auto call = bus_.bus().AsyncPublish(&context, request, &queue);
  call->Finish(&response, &status, nullptr);
  const auto delivery = listener.NextDelivery();

  context.TryCancel();
  void* tag = nullptr;
  bool ok = false;
  ASSERT_EQ(queue.AsyncNext(&tag, &ok, std::chrono::system_clock::now() + kSoon), grpc::CompletionQueue::GOT_EVENT);

  EXPECT_EQ(status.error_code(), grpc::StatusCode::CANCELLED);
  listener.Ack(delivery.delivery_id());
  request.set_wait_policy(bus::v1::WAIT_POLICY_SETTLED);
  const auto again = bus_.Publish(request);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->duplicate());
  EXPECT_EQ(again->result().outcome(), bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
}

TEST_F(DedupeTest, ExpectedLastSequenceGuardsAgainstWhatOneHasNotSeen) {
  bus_.PublishDurable(CustomEvent("first"));
  auto request = RequestOf(CustomEvent("x"));
  request.set_expected_last_sequence(0);

  const auto refused = bus_.Publish(request);
  EXPECT_THAT(refused.status(), IsError(StatusCode::kAborted, "SEQUENCE_MISMATCH"));
  EXPECT_EQ(ErrorMetadata(refused.status())["last_sequence"], "1");
  request.set_expected_last_sequence(1);

  EXPECT_EQ(bus_.Publish(request)->result().sequence(), 2u);
}

}  // namespace
}  // namespace pvebus::testing
