#include "network-service/rpc/notice_outbox.h"

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "network-service/core/testing_memory_apply_store.h"
#include "network-service/rpc/testing_records.h"

namespace pvebus::network {
namespace {

using google::protobuf::util::MessageDifferencer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kBridge[] = "auto vmbr0\niface vmbr0 inet manual\n\tbridge-ports none\n";

class NoticeOutboxTest : public testing::Test {
 protected:
  ApplyRecord Add(const std::string& apply_id, const std::vector<NoticeKind>& notices) {
    ApplyRecord record = RecordOf(apply_id, "", kBridge);
    EXPECT_TRUE(store_.Add(record, notices, std::nullopt).ok());
    return record;
  }
  std::vector<std::string> RequestIds() {
    const auto entries = outbox_.Entries();
    if (!entries.ok()) return {entries.status().ToString()};
    std::vector<std::string> ids;
    for (const client::OutboxEntry& entry : *entries) ids.push_back(entry.request_id);
    return ids;
  }

  MemoryApplyStore store_;
  NoticeOutbox outbox_{store_};
};

TEST_F(NoticeOutboxTest, NoticesAreItsEntriesInTheirOrderUntilTheyAreRemoved) {
  ApplyRecord first = Add("a1", {NoticeKind::kApplied});
  Add("b2", {NoticeKind::kFailed});
  first.state = ApplyState::kReverted;
  ASSERT_TRUE(store_.Update(first, {NoticeKind::kReverted}, std::nullopt).ok());

  const auto entries = outbox_.Entries();

  ASSERT_TRUE(entries.ok()) << entries.status();
  EXPECT_THAT(RequestIds(), ElementsAre("network-applied/a1", "network-apply-failed/b2", "network-reverted/a1"));
  EXPECT_EQ((*entries)[0].label, "notice=network_applied apply=a1");
  EXPECT_EQ((*entries)[0].event.network_applied().changes(0).change_type(), event::v1::CHANGE_TYPE_CREATE);
  EXPECT_EQ((*entries)[1].label, "notice=network_apply_failed apply=b2");
  EXPECT_EQ((*entries)[1].event.custom().name(), "network_apply_failed");
  EXPECT_EQ((*entries)[2].label, "notice=network_reverted apply=a1");
  EXPECT_EQ((*entries)[2].event.network_applied().changes(0).change_type(), event::v1::CHANGE_TYPE_DELETE);

  EXPECT_TRUE(outbox_.Remove((*entries)[0].key).ok());
  EXPECT_TRUE(outbox_.Remove((*entries)[0].key).ok()) << "it had been so before";
  EXPECT_THAT(RequestIds(), ElementsAre("network-apply-failed/b2", "network-reverted/a1"));
  EXPECT_TRUE(outbox_.Remove((*entries)[1].key).ok());
  EXPECT_TRUE(outbox_.Remove((*entries)[2].key).ok());
  EXPECT_THAT(RequestIds(), IsEmpty());
}

TEST_F(NoticeOutboxTest, AnEventIsTheSameAtEveryAttempt) {
  ApplyRecord record = Add("a1", {NoticeKind::kApplied});
  const auto before = outbox_.Entries();
  record.state = ApplyState::kReverted;
  record.failure = {"NOT_CONFIRMED", "it was not confirmed"};
  ASSERT_TRUE(store_.Update(record, {NoticeKind::kReverted}, std::nullopt).ok());

  const auto entries = outbox_.Entries();

  ASSERT_TRUE(entries.ok()) << entries.status();
  ASSERT_TRUE(before.ok()) << before.status();
  EXPECT_TRUE(MessageDifferencer::Equals(entries->front().event, before->front().event))
      << "the bus would refuse another one with its request id";
}

TEST_F(NoticeOutboxTest, OfManyTheFirstAreGivenOut) {
  for (int i = 0; i < 12; ++i) Add(absl::StrFormat("id%02d", i), {NoticeKind::kApplied});

  const auto ids = RequestIds();

  EXPECT_EQ(ids.size(), 10u);
  EXPECT_EQ(ids.front(), "network-applied/id00");
}

TEST_F(NoticeOutboxTest, WhatTheStoreCannotDoIsSaid) {
  Add("a1", {NoticeKind::kApplied});
  const std::string key = outbox_.Entries()->front().key;

  store_.FailNext(absl::UnavailableError("the disk is full"));
  EXPECT_EQ(outbox_.Remove(key).message(), "the disk is full");
  store_.FailNextRead(absl::UnavailableError("the disk is gone"));
  EXPECT_EQ(outbox_.Entries().status().message(), "the disk is gone");
  store_.FailNextRead(absl::UnavailableError("the disk is gone"), 1);
  EXPECT_EQ(outbox_.Entries().status().message(), "the disk is gone");
  EXPECT_EQ(outbox_.Remove("a1").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(outbox_.Entries()->size(), 1u);
}

// Has a notice of an apply that nobody knows.
class ForgetfulStore final : public ApplyStore {
 public:
  absl::Status Add(ApplyRecord&, const std::vector<NoticeKind>&, const std::optional<KnownConfiguration>&) override { return {}; }
  absl::Status Update(const ApplyRecord&, const std::vector<NoticeKind>&, const std::optional<KnownConfiguration>&) override {
    return {};
  }
  absl::StatusOr<std::vector<ApplyRecord>> List(int64_t, size_t) override { return std::vector<ApplyRecord>(); }
  absl::StatusOr<std::optional<ApplyRecord>> Find(const std::string&) override { return std::nullopt; }
  absl::StatusOr<std::optional<ApplyRecord>> FindRequest(const std::string&) override { return std::nullopt; }
  absl::StatusOr<std::vector<ApplyRecord>> UnderWay() override { return std::vector<ApplyRecord>(); }
  absl::StatusOr<std::optional<KnownConfiguration>> Known() override { return std::nullopt; }
  absl::Status PutKnown(const KnownConfiguration&) override { return {}; }
  absl::StatusOr<std::vector<Notice>> Notices() override { return std::vector<Notice>{{.number = 1, .apply_id = "a1"}}; }
  absl::Status RemoveNotice(int64_t) override { return {}; }
  absl::StatusOr<std::vector<Publication>> Publications(const std::string&) override { return std::vector<Publication>(); }
  absl::Status PutPublishResult(const std::string&, NoticeKind, const std::string&) override { return {}; }
};

TEST(NoticeOutboxOfDamagedStoreTest, ANoticeWithoutItsApplyIsDataLoss) {
  ForgetfulStore store;
  NoticeOutbox outbox(store);

  const absl::Status status = outbox.Entries().status();

  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("a1"));
}

}  // namespace
}  // namespace pvebus::network
