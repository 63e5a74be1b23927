#include "network-service/rpc/publications.h"

#include <atomic>
#include <memory>

#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "network-service/core/testing_memory_apply_store.h"
#include "network-service/rpc/notice_outbox.h"
#include "network-service/rpc/testing_records.h"
#include "sdk/base/log.h"
#include "sdk/client/channel.h"
#include "sdk/client/fake_bus.h"

namespace pvebus::network {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kBridge[] = "auto vmbr0\niface vmbr0 inet manual\n\tbridge-ports none\n";
// Of the bus, while it is away.
constexpr PublicationLimits kImpatient{.bus = milliseconds(300), .listeners = milliseconds(300), .ask = milliseconds(300)};

bus::v1::PublishResult ResultOf(const Publication& publication) {
  bus::v1::PublishResult result;
  EXPECT_TRUE(result.ParseFromString(publication.result));
  return result;
}

// A bus that gathers at once, until a test says otherwise.
class PublicationsTest : public testing::Test {
 protected:
  PublicationsTest() {
    bus_.OnPublish([this](auto&, const bus::v1::PublishRequest& request, bus::v1::PublishResponse& response) {
      const bool waits = request.wait_policy() != bus::v1::WAIT_POLICY_DURABLE;
      (waits ? gathered_ : published_).Put(request);
      if (refuses_) return grpc::Status(grpc::StatusCode::INTERNAL, "no");
      response.mutable_result()->set_event_id("e-" + request.request_id());
      response.mutable_result()->set_settled(waits && settled_);
      return grpc::Status::OK;
    });
    bus_.OnGetResult([this](const bus::v1::GetPublishResultRequest& request, bus::v1::GetPublishResultResponse& response) {
      asked_.Put(request.request_id());
      response.mutable_result()->set_event_id("asked-" + request.request_id());
      response.mutable_result()->set_settled(settled_);
      return grpc::Status::OK;
    });
    Use(bus_.address(), {});
  }

  void Use(const std::string& address, PublicationLimits limits) {
    publications_.reset();
    outbox_.reset();
    publisher_ = std::make_unique<client::Publisher>(client::Connect(address), "network@pve1", clock_);
    outbox_ = std::make_unique<client::Outbox>(notices_, *publisher_, logger_);
    publications_ = std::make_unique<Publications>(store_, *outbox_, *publisher_, limits);
  }
  ApplyRecord Add(const std::string& apply_id, const std::vector<NoticeKind>& notices) {
    ApplyRecord record = RecordOf(apply_id, "", kBridge);
    EXPECT_TRUE(store_.Add(record, notices, std::nullopt).ok());
    return record;
  }

  RealClock clock_;
  NullLogger logger_;
  MemoryApplyStore store_;
  NoticeOutbox notices_{store_};
  std::atomic<bool> settled_ = true;
  std::atomic<bool> refuses_ = false;
  client::Mailbox<bus::v1::PublishRequest> published_;
  client::Mailbox<bus::v1::PublishRequest> gathered_;
  client::Mailbox<std::string> asked_;
  client::FakeBus bus_;
  std::unique_ptr<client::Publisher> publisher_;
  std::unique_ptr<client::Outbox> outbox_;
  std::unique_ptr<Publications> publications_;
};

TEST_F(PublicationsTest, AnEventIsPublishedOnceAndItsListenersAreWaitedFor) {
  const ApplyRecord record = Add("a1", {NoticeKind::kApplied});

  const auto publications = publications_->Await(record);

  ASSERT_TRUE(publications.ok()) << publications.status();
  ASSERT_EQ(publications->size(), 1u);
  EXPECT_TRUE(publications->front().published);
  EXPECT_TRUE(ResultOf(publications->front()).settled());
  const auto published = published_.Take();
  const auto gathered = gathered_.Take();
  ASSERT_TRUE(published && gathered);
  EXPECT_EQ(published->request_id(), "network-applied/a1");
  EXPECT_EQ(gathered->request_id(), "network-applied/a1") << "the bus knows it again";
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(gathered->event(), published->event()));
  EXPECT_EQ(gathered->wait_policy(), bus::v1::WAIT_POLICY_UNSPECIFIED);
  const auto stored = publications_->Stored(record);
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(stored->front().result, publications->front().result);
}

TEST_F(PublicationsTest, WhatIsOwedOfOtherAppliesGoesFirst) {
  Add("a1", {NoticeKind::kFailed});
  const ApplyRecord record = Add("b2", {NoticeKind::kApplied});

  const auto publications = publications_->Await(record);

  ASSERT_TRUE(publications.ok()) << publications.status();
  EXPECT_EQ(publications->size(), 1u);
  EXPECT_EQ(published_.Take()->request_id(), "network-apply-failed/a1");
  EXPECT_EQ(published_.Take()->request_id(), "network-applied/b2");
  EXPECT_EQ(gathered_.Take()->request_id(), "network-applied/b2");
  EXPECT_TRUE(gathered_.empty()) << "nobody waits for the listeners of another apply";
}

TEST_F(PublicationsTest, AnApplyWithoutNewsWaitsForNobody) {
  const ApplyRecord record = Add("a1", {});

  const auto publications = publications_->Await(record);

  ASSERT_TRUE(publications.ok());
  EXPECT_THAT(*publications, IsEmpty());
  EXPECT_TRUE(published_.empty());
}

TEST_F(PublicationsTest, WhileTheBusIsAwayTheEventIsOwedAndComesWhenItIsBack) {
  Use("unix:/nowhere/bus.sock", kImpatient);
  const ApplyRecord record = Add("a1", {NoticeKind::kApplied});
  const SteadyTime before = std::chrono::steady_clock::now();

  const auto owed = publications_->Await(record);

  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
  ASSERT_TRUE(owed.ok()) << owed.status();
  ASSERT_EQ(owed->size(), 1u);
  EXPECT_FALSE(owed->front().published);
  EXPECT_EQ(owed->front().result, "");

  Use(bus_.address(), {});
  outbox_->Wake();
  EXPECT_EQ(published_.Take()->request_id(), "network-applied/a1");
}

TEST_F(PublicationsTest, AnEventWhoseListenersCannotBeAskedIsPublishedWithoutAResult) {
  const ApplyRecord record = Add("a1", {NoticeKind::kApplied});
  ASSERT_TRUE(store_.RemoveNotice(1).ok());
  refuses_ = true;

  const auto publications = publications_->Await(record);

  ASSERT_TRUE(publications.ok()) << publications.status();
  EXPECT_TRUE(publications->front().published);
  EXPECT_EQ(publications->front().result, "");
}

TEST_F(PublicationsTest, RefreshAsksTheBusUntilAllListenersHaveAnswered) {
  settled_ = false;
  const ApplyRecord record = Add("a1", {NoticeKind::kApplied});
  ASSERT_FALSE(ResultOf(publications_->Await(record)->front()).settled());

  const auto pending = publications_->Refresh(record);
  settled_ = true;
  const auto done = publications_->Refresh(record);
  const auto later = publications_->Refresh(record);

  ASSERT_TRUE(pending.ok() && done.ok() && later.ok());
  EXPECT_EQ(ResultOf(pending->front()).event_id(), "asked-network-applied/a1");
  EXPECT_FALSE(ResultOf(pending->front()).settled());
  EXPECT_TRUE(ResultOf(done->front()).settled());
  EXPECT_EQ(later->front().result, done->front().result);
  EXPECT_EQ(asked_.Take(), "network-applied/a1");
  EXPECT_EQ(asked_.Take(), "network-applied/a1");
  EXPECT_TRUE(asked_.empty()) << "what is settled stays as it is";
}

TEST_F(PublicationsTest, NeitherWhatIsOwedNorWhatIsSettledIsAskedAbout) {
  const ApplyRecord settled = Add("a1", {NoticeKind::kApplied});
  ASSERT_TRUE(publications_->Await(settled).ok());
  ASSERT_TRUE(gathered_.Take());
  const ApplyRecord owed = Add("b2", {NoticeKind::kApplied});

  const auto of_settled = publications_->Await(settled);
  const auto refreshed = publications_->Refresh(settled);
  const auto of_owed = publications_->Refresh(Add("c3", {NoticeKind::kApplied}));

  ASSERT_TRUE(of_settled.ok() && refreshed.ok() && of_owed.ok());
  EXPECT_TRUE(ResultOf(of_settled->front()).settled());
  EXPECT_FALSE(of_owed->front().published);
  EXPECT_TRUE(gathered_.empty());
  EXPECT_TRUE(asked_.empty());
}

TEST_F(PublicationsTest, WhileTheBusIsAwayItsLastWordIsShown) {
  settled_ = false;
  const ApplyRecord record = Add("a1", {NoticeKind::kApplied});
  ASSERT_TRUE(publications_->Await(record).ok());
  Use("unix:/nowhere/bus.sock", kImpatient);

  const auto publications = publications_->Refresh(record);

  ASSERT_TRUE(publications.ok()) << publications.status();
  EXPECT_EQ(ResultOf(publications->front()).event_id(), "e-network-applied/a1");
}

TEST_F(PublicationsTest, AStoreThatCannotBeReadIsSaid) {
  const ApplyRecord record = Add("a1", {NoticeKind::kApplied});

  for (const auto call : {&Publications::Refresh, &Publications::Stored}) {
    store_.FailNextRead(absl::UnavailableError("the disk is gone"));
    EXPECT_EQ(((*publications_).*call)(record).status().message(), "the disk is gone");
  }
}

}  // namespace
}  // namespace pvebus::network
