#include "network-service/core/apply_store.h"

#include <filesystem>
#include <memory>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "network-service/core/testing_memory_apply_store.h"
#include "network-service/store/sqlite_apply_store.h"
#include "network-service/store/testing_apply_records.h"
#include "sdk/base/error.h"

namespace pvebus::network {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr size_t kHistoryLimit = 3;

enum class Kind { kMemory, kSqlite };

// What every ApplyStore promises.
class ApplyStoreTest : public testing::TestWithParam<Kind> {
 protected:
  ApplyStoreTest() {
    std::string pattern = testing::TempDir() + "apply_store_XXXXXX";
    directory_ = mkdtemp(pattern.data());
    if (GetParam() == Kind::kMemory) {
      store_ = std::make_unique<MemoryApplyStore>(kHistoryLimit);
    } else {
      store_ = *SqliteApplyStore::Open(directory_, kHistoryLimit);
    }
  }
  ~ApplyStoreTest() override {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  ApplyRecord Added(ApplyRecord record, const std::vector<NoticeKind>& notices = {}) {
    EXPECT_TRUE(store_->Add(record, notices, {}).ok());
    return record;
  }
  std::vector<std::string> Ids(const absl::StatusOr<std::vector<ApplyRecord>>& records) {
    std::vector<std::string> ids;
    for (const ApplyRecord& record : *records) ids.push_back(record.apply_id);
    return ids;
  }
  std::vector<std::string> AllIds() { return Ids(store_->List(0, 100)); }
  void TellAll() {
    const std::vector<Notice> notices = *store_->Notices();
    for (const Notice& notice : notices) EXPECT_TRUE(store_->RemoveNotice(notice.number).ok());
  }

  std::string directory_;
  std::unique_ptr<ApplyStore> store_;
};

void ExpectSame(const ApplyRecord& a, const ApplyRecord& b) {
  EXPECT_EQ(a.number, b.number);
  EXPECT_EQ(a.apply_id, b.apply_id);
  EXPECT_EQ(a.request_id, b.request_id);
  EXPECT_EQ(a.source, b.source);
  EXPECT_EQ(a.state, b.state);
  EXPECT_EQ(a.reason, b.reason);
  EXPECT_EQ(a.requested_by, b.requested_by);
  EXPECT_EQ(a.reverts_apply_id, b.reverts_apply_id);
  EXPECT_EQ(a.revert_request_id, b.revert_request_id);
  EXPECT_EQ(a.begin_time, b.begin_time);
  EXPECT_EQ(a.end_time, b.end_time);
  EXPECT_EQ(a.confirm_timeout, b.confirm_timeout);
  EXPECT_EQ(a.confirm_until, b.confirm_until);
  EXPECT_EQ(a.old_file, b.old_file);
  EXPECT_EQ(a.new_file, b.new_file);
  EXPECT_EQ(a.old_interfaces, b.old_interfaces);
  EXPECT_EQ(a.new_interfaces, b.new_interfaces);
  EXPECT_EQ(a.warnings, b.warnings);
  EXPECT_EQ(a.reload, b.reload);
  EXPECT_EQ(a.failure, b.failure);
}

TEST_P(ApplyStoreTest, EveryFieldComesBack) {
  const ApplyRecord added = Added(FullApply("a"));

  EXPECT_GT(added.number, 0);
  ExpectSame(**store_->Find("a"), added);
  ExpectSame(**store_->FindRequest("request of a"), added);
  ExpectSame(store_->List(0, 1)->at(0), added);
}

TEST_P(ApplyStoreTest, WhatIsNotThereStaysAway) {
  const ApplyRecord added = Added(PlainApply("a"));

  const ApplyRecord record = **store_->Find("a");

  ExpectSame(record, added);
  EXPECT_EQ(record.old_file, std::nullopt);
  EXPECT_EQ(record.end_time, std::nullopt);
  EXPECT_EQ(record.confirm_until, std::nullopt);
  EXPECT_EQ(record.reload, std::nullopt);
  EXPECT_THAT(record.warnings, IsEmpty());
}

TEST_P(ApplyStoreTest, EmptyIsNotTheSameAsNothing) {
  ApplyRecord empty = PlainApply("a");
  empty.old_file = "";
  empty.end_time = SystemTime{};
  empty.confirm_until = SystemTime{};
  empty.reload = ProgramReport{};
  empty.warnings = {""};

  const ApplyRecord added = Added(empty);

  ExpectSame(**store_->Find("a"), added);
}

TEST_P(ApplyStoreTest, EveryStateAndSourceComesBack) {
  ApplyRecord record = Added(PlainApply("a"));
  for (const ApplyState state : {ApplyState::kApplying, ApplyState::kAwaitingConfirmation, ApplyState::kReverting,
                                 ApplyState::kCommitted, ApplyState::kReverted, ApplyState::kFailed, ApplyState::kUndoFailed}) {
    record.state = state;
    ASSERT_TRUE(store_->Update(record, {}, {}).ok());
    EXPECT_EQ((*store_->Find("a"))->state, state);
  }
  for (const ApplySource source :
       {ApplySource::kPending, ApplySource::kRevert, ApplySource::kSdn, ApplySource::kFile, ApplySource::kRestart}) {
    record.source = source;
    ASSERT_TRUE(store_->Update(record, {}, {}).ok());
    EXPECT_EQ((*store_->Find("a"))->source, source);
  }
}

TEST_P(ApplyStoreTest, NumbersGrowWhateverTheyWereBefore) {
  const int64_t first = Added(PlainApply("a")).number;
  ApplyRecord second = PlainApply("b");
  second.number = first;

  EXPECT_GT(Added(second).number, first);
}

TEST_P(ApplyStoreTest, UnknownIsNothing) {
  Added(PlainApply("a"));

  EXPECT_EQ(store_->Find("b")->has_value(), false);
  EXPECT_EQ(store_->FindRequest("b")->has_value(), false);
  EXPECT_EQ(store_->FindRequest("")->has_value(), false);
  EXPECT_THAT(*store_->Publications("b"), IsEmpty());
  EXPECT_EQ(store_->Known()->has_value(), false);
}

TEST_P(ApplyStoreTest, UpdateReplacesAllOfARecord) {
  ApplyRecord record = FullApply("a");
  record.number = Added(PlainApply("a")).number;

  ASSERT_TRUE(store_->Update(record, {}, {}).ok());

  ExpectSame(**store_->Find("a"), record);
  EXPECT_THAT(AllIds(), ElementsAre("a"));
}

TEST_P(ApplyStoreTest, UpdateOfAnUnknownOneIsNotFoundAndChangesNothing) {
  ApplyRecord record = PlainApply("a");
  record.number = 7;

  const absl::Status status = store_->Update(record, {NoticeKind::kApplied}, KnownConfiguration{"i", "b"});

  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ErrorReason(status), "APPLY_NOT_FOUND");
  EXPECT_THAT(AllIds(), IsEmpty());
  EXPECT_THAT(*store_->Notices(), IsEmpty());
  EXPECT_EQ(store_->Known()->has_value(), false);
}

TEST_P(ApplyStoreTest, RequestIdIsNotUsedTwice) {
  Added(FullApply("a"));
  ApplyRecord again = PlainApply("b");
  again.request_id = FullApply("a").request_id;

  const absl::Status status = store_->Add(again, {NoticeKind::kApplied}, KnownConfiguration{"i", "b"});

  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ErrorReason(status), "REQUEST_ID_IN_USE");
  EXPECT_EQ(again.number, 0);
  EXPECT_THAT(AllIds(), ElementsAre("a"));
  EXPECT_THAT(*store_->Notices(), IsEmpty());
  EXPECT_EQ(store_->Known()->has_value(), false);
}

TEST_P(ApplyStoreTest, ManyMayHaveNoRequestId) {
  Added(PlainApply("a"));
  Added(PlainApply("b"));

  EXPECT_THAT(AllIds(), ElementsAre("b", "a"));
}

TEST_P(ApplyStoreTest, ListIsNewestFirstPageByPage) {
  for (const char* id : {"a", "b", "c", "d", "e"}) Added(PlainApply(id, ApplyState::kApplying));

  const auto first = store_->List(0, 2);
  const auto second = store_->List(first->back().number, 2);
  const auto third = store_->List(second->back().number, 2);

  EXPECT_THAT(Ids(first), ElementsAre("e", "d"));
  EXPECT_THAT(Ids(second), ElementsAre("c", "b"));
  EXPECT_THAT(Ids(third), ElementsAre("a"));
  EXPECT_THAT(*store_->List(third->back().number, 2), IsEmpty());
  EXPECT_THAT(*store_->List(0, 0), IsEmpty());
  EXPECT_EQ(store_->List(0, SIZE_MAX)->size(), 5u);
}

TEST_P(ApplyStoreTest, UnderWayIsOldestFirst) {
  Added(PlainApply("a", ApplyState::kReverting));
  Added(PlainApply("b", ApplyState::kCommitted));
  Added(PlainApply("c", ApplyState::kApplying));
  Added(PlainApply("d", ApplyState::kAwaitingConfirmation));
  Added(PlainApply("e", ApplyState::kUndoFailed));

  EXPECT_THAT(Ids(store_->UnderWay()), ElementsAre("a", "c", "d"));
}

TEST_P(ApplyStoreTest, KnownIsTheLastOne) {
  ASSERT_TRUE(store_->PutKnown({"first", "boot 1"}).ok());
  EXPECT_EQ(**store_->Known(), (KnownConfiguration{"first", "boot 1"}));

  ApplyRecord record = PlainApply("a");
  ASSERT_TRUE(store_->Add(record, {}, KnownConfiguration{RawBytes('k'), "boot 2"}).ok());
  EXPECT_EQ(**store_->Known(), (KnownConfiguration{RawBytes('k'), "boot 2"}));

  ASSERT_TRUE(store_->Update(record, {}, KnownConfiguration{"", ""}).ok());
  ASSERT_TRUE(store_->Update(record, {}, {}).ok());
  EXPECT_EQ(**store_->Known(), KnownConfiguration{});
}

TEST_P(ApplyStoreTest, NoticesAreInOrderOverAllApplies) {
  ApplyRecord a = Added(PlainApply("a"), {NoticeKind::kApplied});
  Added(PlainApply("b"), {NoticeKind::kApplied, NoticeKind::kFailed});
  ASSERT_TRUE(store_->Update(a, {NoticeKind::kReverted}, {}).ok());

  const auto notices = *store_->Notices();

  ASSERT_EQ(notices.size(), 4u);
  EXPECT_EQ(notices[0].apply_id, "a");
  EXPECT_EQ(notices[0].kind, NoticeKind::kApplied);
  EXPECT_EQ(notices[1].apply_id, "b");
  EXPECT_EQ(notices[1].kind, NoticeKind::kApplied);
  EXPECT_EQ(notices[2].apply_id, "b");
  EXPECT_EQ(notices[2].kind, NoticeKind::kFailed);
  EXPECT_EQ(notices[3].apply_id, "a");
  EXPECT_EQ(notices[3].kind, NoticeKind::kReverted);
  EXPECT_LT(notices[0].number, notices[1].number);
  EXPECT_LT(notices[1].number, notices[2].number);
  EXPECT_LT(notices[2].number, notices[3].number);
}

TEST_P(ApplyStoreTest, NoticeThatWasTakenStaysAPublication) {
  ApplyRecord record = Added(PlainApply("a"), {NoticeKind::kApplied});
  ASSERT_TRUE(store_->Update(record, {NoticeKind::kReverted}, {}).ok());

  ASSERT_TRUE(store_->RemoveNotice(store_->Notices()->at(0).number).ok());
  ASSERT_TRUE(store_->PutPublishResult("a", NoticeKind::kApplied, RawBytes('r')).ok());

  ASSERT_EQ(store_->Notices()->size(), 1u);
  EXPECT_EQ(store_->Notices()->at(0).kind, NoticeKind::kReverted);
  const auto publications = *store_->Publications("a");
  ASSERT_EQ(publications.size(), 2u);
  EXPECT_EQ(publications[0].kind, NoticeKind::kApplied);
  EXPECT_EQ(publications[0].request_id, "network-applied/a");
  EXPECT_TRUE(publications[0].published);
  EXPECT_EQ(publications[0].result, RawBytes('r'));
  EXPECT_EQ(publications[1].request_id, "network-reverted/a");
  EXPECT_FALSE(publications[1].published);
  EXPECT_EQ(publications[1].result, "");
}

TEST_P(ApplyStoreTest, PublishResultIsTheLastOne) {
  Added(PlainApply("a"), {NoticeKind::kFailed});

  ASSERT_TRUE(store_->PutPublishResult("a", NoticeKind::kFailed, "first").ok());
  ASSERT_TRUE(store_->PutPublishResult("a", NoticeKind::kFailed, "second").ok());

  EXPECT_EQ(store_->Publications("a")->at(0).result, "second");
  EXPECT_EQ(store_->Notices()->size(), 1u);
}

TEST_P(ApplyStoreTest, WhatIsNotThereAnyMoreMayBeRemovedAgain) {
  EXPECT_TRUE(store_->RemoveNotice(7).ok());
  EXPECT_TRUE(store_->PutPublishResult("a", NoticeKind::kApplied, "late").ok());
  EXPECT_THAT(*store_->Publications("a"), IsEmpty());
}

TEST_P(ApplyStoreTest, OldestThatAreOverAreForgottenWithTheirPublications) {
  Added(PlainApply("a"), {NoticeKind::kApplied});
  TellAll();
  for (const char* id : {"b", "c"}) Added(PlainApply(id));
  EXPECT_THAT(AllIds(), ElementsAre("c", "b", "a"));
  EXPECT_EQ(store_->Publications("a")->size(), 1u);

  Added(PlainApply("d"));

  EXPECT_THAT(AllIds(), ElementsAre("d", "c", "b"));
  EXPECT_THAT(*store_->Publications("a"), IsEmpty());
}

TEST_P(ApplyStoreTest, WhatIsUnderWayOrOwedIsNeverForgotten) {
  Added(PlainApply("applying", ApplyState::kApplying));
  Added(PlainApply("waiting", ApplyState::kAwaitingConfirmation));
  Added(PlainApply("reverting", ApplyState::kReverting));
  Added(PlainApply("owed", ApplyState::kFailed), {NoticeKind::kFailed});
  for (const char* id : {"a", "b", "c", "d", "e"}) Added(PlainApply(id));

  EXPECT_THAT(AllIds(), ElementsAre("e", "d", "c", "owed", "reverting", "waiting", "applying"));
  EXPECT_EQ(store_->Notices()->size(), 1u);

  TellAll();
  Added(PlainApply("f"));

  EXPECT_THAT(AllIds(), ElementsAre("f", "e", "d", "reverting", "waiting", "applying"));
}

TEST_P(ApplyStoreTest, RequestIdOfAForgottenOneMayBeUsedAgain) {
  Added(FullApply("a"));
  for (const char* id : {"b", "c", "d"}) Added(PlainApply(id));
  ApplyRecord again = FullApply("e");
  again.request_id = FullApply("a").request_id;

  EXPECT_TRUE(store_->Add(again, {}, {}).ok());
}

TEST_P(ApplyStoreTest, NumbersAreNotUsedAgain) {
  const ApplyRecord a = Added(PlainApply("a"), {NoticeKind::kApplied});
  const int64_t notice = store_->Notices()->at(0).number;
  TellAll();
  for (const char* id : {"b", "c", "d"}) Added(PlainApply(id));

  const ApplyRecord e = Added(PlainApply("e"), {NoticeKind::kApplied});

  EXPECT_EQ(e.number, a.number + 4);
  EXPECT_GT(store_->Notices()->at(0).number, notice);
}

INSTANTIATE_TEST_SUITE_P(Stores, ApplyStoreTest, testing::Values(Kind::kMemory, Kind::kSqlite),
                         [](const auto& kind) { return kind.param == Kind::kMemory ? "Memory" : "Sqlite"; });

TEST(MemoryApplyStoreTest, FailsWhenToldTo) {
  MemoryApplyStore store;
  ApplyRecord a = PlainApply("a");
  ApplyRecord b = PlainApply("b");
  store.FailNext(MakeError(absl::StatusCode::kResourceExhausted, "NETWORK_STATE_FULL", "full"), 1, 2);

  EXPECT_TRUE(store.Add(a, {}, {}).ok());
  EXPECT_EQ(ErrorReason(store.Update(a, {NoticeKind::kApplied}, {})), "NETWORK_STATE_FULL");
  EXPECT_FALSE(store.Add(b, {}, {}).ok());
  EXPECT_EQ(store.List(0, 10)->size(), 1u);
  EXPECT_THAT(*store.Notices(), IsEmpty());
  EXPECT_TRUE(store.Add(b, {}, {}).ok());

  store.FailNextRead(absl::InternalError("no"));
  EXPECT_FALSE(store.UnderWay().ok());
  EXPECT_TRUE(store.UnderWay().ok());
}

}  // namespace
}  // namespace pvebus::network
