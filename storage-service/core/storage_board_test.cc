#include "storage-service/core/storage_board.h"

#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "storage-service/core/testing_fake_probe.h"
#include "storage-service/core/testing_memory_store.h"

namespace pvebus::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

Storage Nfs(const std::string& id, const std::string& server = "10.0.0.1") {
  return {.storage_id = id, .type = "nfs", .network = true, .endpoints = {{server, 2049}}};
}

StorageConfig ConfigOf(std::vector<Storage> storages) { return {.storages = std::move(storages)}; }

class StorageBoardTest : public testing::Test {
 protected:
  StorageBoardTest() {
    EXPECT_TRUE(board_.Restore().ok());
    board_.SetConfig(ConfigOf({Nfs("nas")}));
  }

  void Check(StorageBoard& board, Reachability reachability, std::string_view event = "") {
    probe_.Set("nas", reachability);
    EXPECT_TRUE(board.Refresh({}, event, {}).stored.ok());
  }

  // "error>active" per notice.
  std::vector<std::string> Noticed() {
    std::vector<std::string> noticed;
    const auto notices = store_.Notices();
    for (const Notice& notice : *notices) {
      noticed.push_back(std::string(StorageStateName(notice.before)) + ">" + std::string(StorageStateName(notice.after)));
    }
    return noticed;
  }

  FakeProbe probe_;
  MemoryStorageStore store_;
  FakeClock clock_;
  int told_ = 0;
  StorageBoard board_{"pve1", probe_, store_, clock_, [this] { ++told_; }};
};

TEST_F(StorageBoardTest, StorageIsUnknownUntilItIsChecked) {
  const auto status = board_.Get("nas");

  ASSERT_TRUE(status.ok());
  EXPECT_EQ(status->state, StorageState::kUnknown);
  EXPECT_EQ(status->reason, "not checked yet");
}

TEST_F(StorageBoardTest, FirstStateIsStoredAsToldAndIsNoNotice) {
  Check(board_, Reachability::kReachable);

  EXPECT_THAT(Noticed(), IsEmpty());
  EXPECT_THAT(*store_.ToldStates(), ElementsAre(Pair("nas", StorageState::kActive)));
  EXPECT_EQ(told_, 0);
  EXPECT_EQ(board_.Get("nas")->state, StorageState::kActive);
}

TEST_F(StorageBoardTest, ChangeIsANoticeOnce) {
  Check(board_, Reachability::kReachable);
  Check(board_, Reachability::kRefused, "event-1");
  Check(board_, Reachability::kRefused, "event-2");

  EXPECT_THAT(Noticed(), ElementsAre("active>error"));
  const auto notices = store_.Notices();
  const Notice& notice = notices->front();
  EXPECT_EQ(notice.kind, Notice::Kind::kStatusChanged);
  EXPECT_EQ(notice.storage_id, "nas");
  EXPECT_EQ(notice.parent_event_id, "event-1");
  EXPECT_EQ(notice.reason, "10.0.0.1:2049 refused");
  EXPECT_EQ(notice.time, clock_.SystemNow());
  EXPECT_EQ(told_, 1);
}

TEST_F(StorageBoardTest, WhatWasToldBeforeARestartIsNotToldAgain) {
  Check(board_, Reachability::kRefused);
  StorageBoard again{"pve1", probe_, store_, clock_, [] {}};
  ASSERT_TRUE(again.Restore().ok());
  again.SetConfig(ConfigOf({Nfs("nas")}));

  Check(again, Reachability::kRefused);
  EXPECT_THAT(Noticed(), IsEmpty());
  Check(again, Reachability::kReachable);
  EXPECT_THAT(Noticed(), ElementsAre("error>active"));
}

TEST_F(StorageBoardTest, StoreFailureLosesNeitherTheCheckNorTheNotice) {
  Check(board_, Reachability::kReachable);
  store_.FailWith(absl::InternalError("disk full"));
  probe_.Set("nas", Reachability::kRefused);

  const auto outcome = board_.Refresh({}, "event-1", {});

  EXPECT_EQ(outcome.stored.message(), "disk full");
  ASSERT_EQ(outcome.refreshed.size(), 1U);
  EXPECT_EQ(outcome.refreshed[0].before, StorageState::kActive);
  EXPECT_EQ(outcome.refreshed[0].now.state, StorageState::kError);
  EXPECT_EQ(board_.Get("nas")->state, StorageState::kError);
  EXPECT_EQ(told_, 0);

  store_.FailWith(absl::OkStatus());
  Check(board_, Reachability::kRefused);
  EXPECT_THAT(Noticed(), ElementsAre("active>error"));
}

TEST_F(StorageBoardTest, OfTwoOverlappingChecksTheLaterBegunCounts) {
  Check(board_, Reachability::kReachable);
  probe_.Set("nas", Reachability::kRefused);
  // While the second check has measured and not ended, a third one measures and ends.
  probe_.OnMeasured([&](int number) {
    if (number == 2) std::thread([&] { Check(board_, Reachability::kReachable); }).join();
  });

  const auto outcome = board_.Refresh({}, "", {});

  EXPECT_EQ(board_.Get("nas")->state, StorageState::kActive);
  ASSERT_EQ(outcome.refreshed.size(), 1U);
  EXPECT_EQ(outcome.refreshed[0].now.state, StorageState::kActive);
  EXPECT_THAT(Noticed(), IsEmpty());
}

TEST_F(StorageBoardTest, ManyChecksAtOnceTellEachChangeOnce) {
  Check(board_, Reachability::kReachable);
  probe_.Set("nas", Reachability::kRefused);
  std::vector<std::jthread> threads;
  StorageBoard board{"pve1", probe_, store_, clock_, [] {}};
  ASSERT_TRUE(board.Restore().ok());
  board.SetConfig(ConfigOf({Nfs("nas")}));

  threads.reserve(8);
  for (int i = 0; i < 8; ++i) threads.emplace_back([&board] { board.Refresh({}, "", {}); });
  threads.clear();

  EXPECT_THAT(Noticed(), ElementsAre("active>error"));
}

TEST_F(StorageBoardTest, DisabledStoragesAreNotProbed) {
  Storage disabled = Nfs("old");
  disabled.enabled = false;
  Storage elsewhere = Nfs("far");
  elsewhere.nodes = {"pve2"};
  board_.SetConfig(ConfigOf({disabled, Nfs("nas"), elsewhere}));

  const auto outcome = board_.Refresh({}, "", {});

  EXPECT_THAT(probe_.calls(), ElementsAre(ElementsAre("nas")));
  ASSERT_EQ(outcome.refreshed.size(), 3U);
  EXPECT_EQ(outcome.refreshed[0].now.reason, "disabled in storage.cfg");
  EXPECT_EQ(outcome.refreshed[0].now.measurement.check_time, clock_.SystemNow());
  EXPECT_EQ(outcome.refreshed[1].now.state, StorageState::kActive);
  EXPECT_EQ(outcome.refreshed[2].now.state, StorageState::kDisabled);
}

TEST_F(StorageBoardTest, OnlyTheAskedOnesAreCheckedInTheOrderOfTheFile) {
  board_.SetConfig(ConfigOf({Nfs("one"), Nfs("two"), Nfs("three")}));

  const auto outcome = board_.Refresh({"three", "one", "gone", "one"}, "", {});

  EXPECT_THAT(probe_.calls(), ElementsAre(ElementsAre("one", "three")));
  EXPECT_EQ(outcome.refreshed.size(), 2U);
}

TEST_F(StorageBoardTest, RemovedStorageIsForgottenAndBeginsAnew) {
  Check(board_, Reachability::kReachable);

  EXPECT_THAT(board_.SetConfig(ConfigOf({})), IsEmpty());
  EXPECT_THAT(*store_.ToldStates(), IsEmpty());
  EXPECT_THAT(board_.SetConfig(ConfigOf({Nfs("nas")})), ElementsAre("nas"));
  Check(board_, Reachability::kRefused);
  EXPECT_THAT(Noticed(), IsEmpty());
}

TEST_F(StorageBoardTest, RemovedWhileTheServiceWasAwayIsForgottenToo) {
  Check(board_, Reachability::kReachable);
  StorageBoard again{"pve1", probe_, store_, clock_, [] {}};
  ASSERT_TRUE(again.Restore().ok());

  again.SetConfig(ConfigOf({Nfs("new")}));

  EXPECT_THAT(*store_.ToldStates(), IsEmpty());
}

TEST_F(StorageBoardTest, ChangedStorageIsUnknownUntilItIsCheckedAndUnchangedOnesStay) {
  board_.SetConfig(ConfigOf({Nfs("nas"), Nfs("other")}));
  board_.Refresh({}, "", {});

  EXPECT_THAT(board_.SetConfig(ConfigOf({Nfs("nas", "10.0.0.2"), Nfs("other")})), ElementsAre("nas"));

  EXPECT_EQ(board_.Get("nas")->state, StorageState::kUnknown);
  EXPECT_EQ(board_.Get("other")->state, StorageState::kActive);
  board_.Refresh({}, "", {});
  EXPECT_THAT(Noticed(), IsEmpty());
}

TEST_F(StorageBoardTest, CheckOfADefinitionThatChangedMeanwhileDoesNotCount) {
  probe_.OnMeasured([&](int) { board_.SetConfig(ConfigOf({Nfs("nas", "10.0.0.2")})); });

  const auto outcome = board_.Refresh({}, "", {});

  EXPECT_THAT(outcome.refreshed, IsEmpty());
  EXPECT_EQ(board_.Get("nas")->reason, "not checked yet");
}

TEST_F(StorageBoardTest, StoppedCheckDoesNotCount) {
  std::stop_source stop;
  probe_.Set("nas", Reachability::kRefused);
  probe_.OnMeasured([&](int) { stop.request_stop(); });

  const auto outcome = board_.Refresh({}, "", stop.get_token());

  EXPECT_EQ(outcome.stored.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(board_.Get("nas")->reason, "not checked yet");
  EXPECT_THAT(*store_.ToldStates(), IsEmpty());
}

TEST_F(StorageBoardTest, ConfigErrorLeavesTheLastConfigurationInForce) {
  board_.SetConfigError("/etc/pve/storage.cfg does not exist");

  EXPECT_EQ(board_.List().config_error, "/etc/pve/storage.cfg does not exist");
  EXPECT_EQ(board_.List().storages.size(), 1U);
  board_.SetConfig(ConfigOf({Nfs("nas")}));
  EXPECT_EQ(board_.List().config_error, "");
}

TEST_F(StorageBoardTest, UnknownStorageIsNamedWithTheNearest) {
  const absl::Status status = board_.Get("nsa").status();

  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ErrorReason(status), "STORAGE_NOT_FOUND");
  EXPECT_EQ(status.message(), "storage.cfg has no storage 'nsa' (did you mean 'nas'?)");
}

}  // namespace
}  // namespace pvebus::storage
