#include "storage-service/rpc/announcer.h"

#include <atomic>
#include <memory>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "sdk/client/channel.h"
#include "sdk/client/fake_bus.h"
#include "sdk/status/status.h"
#include "storage-service/core/testing_memory_store.h"

namespace pvebus::storage {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

SteadyTime In10Seconds() { return std::chrono::steady_clock::now() + seconds(10); }

Notice VlanCreated(const std::string& storage_id, const std::string& parent = "") {
  return {.kind = Notice::Kind::kVlanCreated, .storage_id = storage_id, .parent_event_id = parent};
}

absl::Status Refusal(absl::StatusCode code, const char* reason) { return MakeError(code, reason, "no"); }

class AnnouncerTest : public testing::Test {
 protected:
  AnnouncerTest() {
    bus_.OnPublish([this](auto&, const bus::v1::PublishRequest& request, auto& response) {
      const absl::Status status = answer_ ? answer_(request) : absl::OkStatus();
      if (status.ok()) published_.Put(request);
      response.mutable_result()->set_event_id("e-" + request.request_id());
      return ToGrpcStatus(status);
    });
  }

  void Add(const Notice& notice) { EXPECT_TRUE(store_.PutToldStates({}, {notice}).ok()); }
  void Start() { announcer_ = std::make_unique<Announcer>(store_, publisher_, logger_); }
  absl::Status PublishNow() { return announcer_->PublishNow(In10Seconds(), {}); }
  std::string NextPublished() {
    const auto request = published_.Take();
    return request ? request->event().subject() : "nothing";
  }
  size_t NoticesLeft() { return store_.Notices()->size(); }

  RealClock clock_;
  NullLogger logger_;
  MemoryStorageStore store_;
  std::function<absl::Status(const bus::v1::PublishRequest&)> answer_;  // set before Start
  client::Mailbox<bus::v1::PublishRequest> published_;
  client::Mailbox<bool> asked_;
  client::Mailbox<bool> go_on_;
  client::FakeBus bus_;
  client::Publisher publisher_{client::Connect(bus_.address()), "storage-service@pve1", clock_};
  std::unique_ptr<Announcer> announcer_;
};

TEST_F(AnnouncerTest, NoticesArePublishedInTheirOrderAndThenGone) {
  Add(VlanCreated("nas", "e1"));
  Add({.kind = Notice::Kind::kVlanDeleted, .storage_id = "san", .link = "eno1.20"});
  Start();

  const absl::Status status = PublishNow();

  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(NoticesLeft(), 0u);
  const auto first = published_.Take();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->event().storage_vlan_created().id(), "nas");
  EXPECT_EQ(first->event().causation().parent_event_id(), "e1");
  EXPECT_EQ(first->event().source(), "storage-service@pve1");
  EXPECT_EQ(first->request_id(), "request-1");
  EXPECT_EQ(first->wait_policy(), bus::v1::WAIT_POLICY_DURABLE);
  EXPECT_EQ(NextPublished(), "san");
}

TEST_F(AnnouncerTest, WakingPublishesInTheBackground) {
  Start();
  Add(VlanCreated("nas"));

  announcer_->Wake();

  EXPECT_EQ(NextPublished(), "nas");
}

TEST_F(AnnouncerTest, WhileTheBusIsAwayNoticesWaitAndKeepTheirRequestIds) {
  std::atomic<bool> away = true;
  answer_ = [&](const auto&) { return away ? Refusal(absl::StatusCode::kResourceExhausted, "JOURNAL_FULL") : absl::OkStatus(); };
  Add(VlanCreated("nas"));
  Add(VlanCreated("san"));
  Start();

  const absl::Status refused = PublishNow();
  EXPECT_EQ(ErrorReason(refused), "JOURNAL_FULL");
  EXPECT_EQ(NoticesLeft(), 2u);
  away = false;

  const auto first = published_.Take();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->request_id(), "request-1");
  EXPECT_EQ(NextPublished(), "san");
}

TEST_F(AnnouncerTest, WhatTheBusRefusesForGoodBlocksNothingBehindIt) {
  answer_ = [](const bus::v1::PublishRequest& request) {
    const std::string& subject = request.event().subject();
    if (subject == "deep") return Refusal(absl::StatusCode::kFailedPrecondition, "HOP_LIMIT_EXCEEDED");
    return subject == "bad" ? Refusal(absl::StatusCode::kInvalidArgument, "ID_INVALID") : absl::OkStatus();
  };
  for (const char* id : {"deep", "bad", "nas"}) Add(VlanCreated(id));
  Start();

  const absl::Status status = PublishNow();

  EXPECT_EQ(ErrorReason(status), "HOP_LIMIT_EXCEEDED");
  EXPECT_EQ(NextPublished(), "nas");
  EXPECT_EQ(NoticesLeft(), 0u);
}

TEST_F(AnnouncerTest, AParentThatTheJournalHasForgottenIsLeftOut) {
  answer_ = [](const bus::v1::PublishRequest& request) {
    return request.event().has_causation() ? Refusal(absl::StatusCode::kFailedPrecondition, "PARENT_UNKNOWN") : absl::OkStatus();
  };
  Add(VlanCreated("nas", "forgotten"));
  Start();

  EXPECT_TRUE(PublishNow().ok());

  EXPECT_EQ(NextPublished(), "nas");
}

TEST_F(AnnouncerTest, WhatCouldNotBeRemovedIsPublishedAgainUnderItsRequestId) {
  Add(VlanCreated("nas"));
  store_.FailWith(absl::UnavailableError("the disk is full"));
  Start();

  EXPECT_EQ(PublishNow().message(), "the disk is full");
  store_.FailWith(absl::OkStatus());
  EXPECT_TRUE(PublishNow().ok());

  EXPECT_EQ(NoticesLeft(), 0u);
  EXPECT_EQ(published_.Take()->request_id(), "request-1");
  EXPECT_EQ(published_.Take()->request_id(), "request-1");
}

TEST_F(AnnouncerTest, WhoWaitsIsNotHeldUpByEarlierFailures) {
  answer_ = [](const auto&) { return Refusal(absl::StatusCode::kResourceExhausted, "JOURNAL_FULL"); };
  Add(VlanCreated("nas"));
  Start();
  const SteadyTime before = std::chrono::steady_clock::now();

  for (int i = 0; i < 5; ++i) EXPECT_EQ(ErrorReason(PublishNow()), "JOURNAL_FULL");

  EXPECT_LT(std::chrono::steady_clock::now() - before, seconds(2));  // in the background it would wait 0.2, 0.4, 0.8 and 1.6 s
}

TEST_F(AnnouncerTest, WaitingForTheBusEndsWithItsDeadlineOrWhenItIsStopped) {
  std::stop_source stop;
  stop.request_stop();
  answer_ = [&](const auto&) {
    go_on_.Take();
    return absl::OkStatus();
  };
  Add(VlanCreated("nas"));
  Start();

  EXPECT_EQ(announcer_->PublishNow(In10Seconds(), stop.get_token()).code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(announcer_->PublishNow(std::chrono::steady_clock::now(), {}).code(), absl::StatusCode::kDeadlineExceeded);

  go_on_.Put(true);
  EXPECT_EQ(NextPublished(), "nas");
}

TEST_F(AnnouncerTest, ItEndsWhileTheBusHangs) {
  answer_ = [&](const auto&) {
    asked_.Put(true);
    go_on_.Take();
    return absl::OkStatus();
  };
  Add(VlanCreated("nas"));
  Start();
  announcer_->Wake();
  ASSERT_TRUE(asked_.Take());

  const SteadyTime before = std::chrono::steady_clock::now();
  announcer_.reset();

  EXPECT_LT(std::chrono::steady_clock::now() - before, seconds(4));  // the call's own limit is 5 s
  EXPECT_EQ(NoticesLeft(), 1u);
  go_on_.Put(true);
}

TEST(EventOfTest, ChangeOfStateTellsBothAndWhy) {
  const event::v1::SystemEvent event = EventOf({.kind = Notice::Kind::kStatusChanged,
                                                .storage_id = "nas",
                                                .parent_event_id = "e1",
                                                .before = StorageState::kActive,
                                                .after = StorageState::kError,
                                                .reason = "10.0.0.9:2049 timed out \xff"});

  EXPECT_EQ(event.custom().name(), "storage_status_changed");
  EXPECT_EQ(event.ordering_key(), "storage/nas");
  EXPECT_EQ(event.subject(), "nas");
  EXPECT_EQ(event.causation().parent_event_id(), "e1");
  const auto& data = event.custom().data();
  EXPECT_EQ(data.at("storage_id").string_value(), "nas");
  EXPECT_EQ(data.at("before").string_value(), "active");
  EXPECT_EQ(data.at("after").string_value(), "error");
  EXPECT_EQ(data.at("reason").string_value(), "10.0.0.9:2049 timed out ?");
}

TEST(EventOfTest, RemovedVlanTellsItsLink) {
  const event::v1::SystemEvent event = EventOf({.kind = Notice::Kind::kVlanDeleted, .storage_id = "nas", .link = "eno1.20"});

  EXPECT_EQ(event.custom().name(), "storage_vlan_deleted");
  EXPECT_EQ(event.ordering_key(), "storage/nas");
  EXPECT_EQ(event.custom().data().at("link").string_value(), "eno1.20");
  EXPECT_EQ(event.custom().data_size(), 2);
  EXPECT_FALSE(event.has_causation());
}

}  // namespace
}  // namespace pvebus::storage
