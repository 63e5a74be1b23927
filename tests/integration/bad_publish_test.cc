// What a publisher may get wrong. Nobody else is disturbed by it.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/bus_process.h"
#include "tests/support/messages.h"
#include "tests/support/raw_listener.h"

namespace pvebus::testing {
namespace {

using absl::StatusCode;

class BadPublishTest : public ::testing::Test {
 protected:
  ~BadPublishTest() override {
    const auto response = bus_.Publish(CustomEvent("after"));
    EXPECT_TRUE(response.ok()) << response.status();
    if (response.ok() && nothing_stored_) {
      EXPECT_EQ(response->result().sequence(), 1u) << "something was stored";
    }
  }
  absl::Status Refusal(event::v1::SystemEvent event) { return bus_.Publish(RequestOf(std::move(event))).status(); }
  absl::StatusOr<std::string> PublishBytes(const std::string& bytes) {
    return CallBytes(*bus_.channel(), "/pvebus.bus.v1.BusService/Publish", bytes);
  }

  BusProcess bus_;
  bool nothing_stored_ = true;
};

TEST_F(BadPublishTest, NoPayload) {
  event::v1::SystemEvent event;
  event.set_source("test");

  EXPECT_THAT(Refusal(event), IsError(StatusCode::kInvalidArgument, "PAYLOAD_MISSING"));
  EXPECT_THAT(bus_.Publish(bus::v1::PublishRequest()).status(), IsError(StatusCode::kInvalidArgument, "PAYLOAD_MISSING"));
}

TEST_F(BadPublishTest, AnEventAboveTheLimitIsRefusedAndNamesTheLimit) {
  auto event = CustomEvent("big");
  (*event.mutable_custom()->mutable_data())["text"].set_string_value(std::string(2 << 20, 'x'));

  const auto refused = Refusal(event);

  EXPECT_THAT(refused, IsError(StatusCode::kInvalidArgument, "EVENT_TOO_LARGE"));
  EXPECT_EQ(ErrorMetadata(refused)["limit"], "1048576");
}

TEST_F(BadPublishTest, AMessageAboveWhatTheServerTakesIsRefused) {
  auto event = CustomEvent("huge");
  (*event.mutable_custom()->mutable_data())["text"].set_string_value(std::string(40 << 20, 'x'));

  const auto code = Refusal(event).code();

  EXPECT_TRUE(code == StatusCode::kResourceExhausted || code == StatusCode::kInvalidArgument) << absl::StatusCodeToString(code);
}

TEST_F(BadPublishTest, BadIdsAreNamed) {
  auto container = ContainerStartedEvent(99);
  EXPECT_THAT(Refusal(container), IsError(StatusCode::kInvalidArgument, "ID_INVALID"));
  container.mutable_container_started()->set_id(1'000'000'000);
  EXPECT_THAT(Refusal(container), IsError(StatusCode::kInvalidArgument, "ID_INVALID"));
  event::v1::SystemEvent storage;
  storage.mutable_storage_vlan_created()->set_id("../etc");
  EXPECT_THAT(Refusal(storage), IsError(StatusCode::kInvalidArgument, "ID_INVALID"));
  auto custom = CustomEvent("x");
  custom.set_event_id("has a blank");
  EXPECT_THAT(Refusal(custom), IsError(StatusCode::kInvalidArgument, "ID_INVALID"));
  auto request = RequestOf(CustomEvent("x"));
  request.set_request_id(std::string(129, 'r'));
  EXPECT_THAT(bus_.Publish(request).status(), IsError(StatusCode::kInvalidArgument, "ID_INVALID"));
}

TEST_F(BadPublishTest, FieldsBeyondTheirLimitsAreInvalid) {
  std::vector<event::v1::SystemEvent> bad(6, CustomEvent("x"));
  bad[0].set_source(std::string(257, 's'));
  bad[1].set_ordering_key(std::string(257, 'k'));
  for (int i = 0; i < 65; ++i) (*bad[2].mutable_attributes())["key-" + std::to_string(i)] = "v";
  (*bad[3].mutable_attributes())["k"] = std::string(1025, 'v');
  bad[4].mutable_expire_time()->set_seconds(1);
  bad[5].mutable_custom()->clear_name();
  bad.emplace_back().mutable_network_applied();
  bad.emplace_back().mutable_migration_phase_changed();
  bad.emplace_back().mutable_network_applied()->add_changes()->set_target("vmbr0");

  for (const auto& event : bad) EXPECT_EQ(Refusal(event).code(), StatusCode::kInvalidArgument) << event.ShortDebugString();
}

TEST_F(BadPublishTest, InvalidUtf8AndGarbageAreRefused) {
  auto request = RequestOf(CustomEvent("valid"));
  request.mutable_event()->set_subject("SUBJECT");
  std::string bytes = request.SerializeAsString();
  bytes.replace(bytes.find("SUBJECT"), 2, "\xff\xfe");

  EXPECT_EQ(PublishBytes(bytes).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(PublishBytes("\x0a\xff\xff\xff\xff\x0f").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(PublishBytes(std::string(1000, '\x07')).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(BadPublishTest, UnknownFieldsAreIgnored) {
  nothing_stored_ = false;
  const std::string unknown = "\xfa\x3f\x03xyz";  // Field 1023, three bytes.
  const auto request = RequestOf(CustomEvent("from-the-future"), bus::v1::WAIT_POLICY_DURABLE);

  const auto bytes = PublishBytes(request.SerializeAsString() + unknown);

  ASSERT_TRUE(bytes.ok()) << bytes.status();
  bus::v1::PublishResponse response;
  ASSERT_TRUE(response.ParseFromString(*bytes));
  EXPECT_EQ(response.result().sequence(), 1u);
}

TEST_F(BadPublishTest, ABatchOfNoneOrTooManyIsMalformed) {
  bus::v1::BatchPublishRequest batch;
  EXPECT_EQ(Call(&bus::v1::BusService::Stub::BatchPublish, bus_.bus(), batch).status().code(), StatusCode::kInvalidArgument);
  for (int i = 0; i < 1001; ++i) *batch.add_requests() = RequestOf(CustomEvent("x"));

  EXPECT_EQ(Call(&bus::v1::BusService::Stub::BatchPublish, bus_.bus(), batch).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(BadPublishTest, ManyPublishersThatCancelLeaveNothingBehind) {
  nothing_stored_ = false;
  RawListener listener(bus_.address(), RegistrationOf("hangs"));
  listener.WaitRegistered();
  constexpr int kCalls = 200;
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientAsyncResponseReader<bus::v1::PublishResponse>>> calls;
  std::vector<bus::v1::PublishResponse> responses(kCalls);
  std::vector<grpc::Status> statuses(kCalls);
  grpc::CompletionQueue queue;
  for (int i = 0; i < kCalls; ++i) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    calls.push_back(bus_.bus().AsyncPublish(contexts.back().get(), RequestOf(KeyedEvent(std::to_string(i))), &queue));
    calls.back()->Finish(&responses[i], &statuses[i], nullptr);
  }
  listener.NextDeliveries(64);

  for (auto& context : contexts) context->TryCancel();
  for (int i = 0; i < kCalls; ++i) {
    void* tag = nullptr;
    bool ok = false;
    ASSERT_EQ(queue.AsyncNext(&tag, &ok, std::chrono::system_clock::now() + kSoon), grpc::CompletionQueue::GOT_EVENT);
  }
  const auto begin = std::chrono::steady_clock::now();
  bus_.ExpectAlive();

  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

}  // namespace
}  // namespace pvebus::testing
