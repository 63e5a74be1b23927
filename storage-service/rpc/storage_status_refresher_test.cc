#include "storage-service/rpc/storage_status_refresher.h"

#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::storage {
namespace {

using bus::v1::HOOK_STATE_CHANGED;
using bus::v1::HOOK_STATE_DRY_RUN;
using bus::v1::HOOK_STATE_FAILED;
using bus::v1::HOOK_STATE_SKIPPED;
using bus::v1::HOOK_STATE_UNCHANGED;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

StorageStatus Nfs(const std::string& storage_id, const std::string& interface, StorageState state = StorageState::kActive) {
  StorageStatus status;
  status.storage.storage_id = storage_id;
  status.storage.network = true;
  status.storage.endpoints = {{.host = "10.0.0.9", .port = 2049}};
  status.state = state;
  status.reason = "answers";
  status.measurement.check_time = SystemTime(std::chrono::seconds(1'700'000'000));
  EndpointStatus& endpoint = status.measurement.endpoints.emplace_back();
  endpoint.endpoint = status.storage.endpoints[0];
  endpoint.reachability = Reachability::kReachable;
  endpoint.address = "10.0.0.9";
  endpoint.interface = interface;
  endpoint.chain = {interface};
  endpoint.link_up = true;
  return status;
}

bus::v1::Delivery NetworkApplied(const std::string& target) {
  bus::v1::Delivery delivery;
  delivery.mutable_event()->set_event_id("e1");
  delivery.mutable_event()->mutable_network_applied()->add_changes()->set_target(target);
  return delivery;
}

bus::v1::Delivery VlanCreated(const std::string& storage_id) {
  bus::v1::Delivery delivery;
  delivery.mutable_event()->set_event_id("e2");
  delivery.mutable_event()->mutable_storage_vlan_created()->set_id(storage_id);
  return delivery;
}

// Three network storages, of which one rides on eno1, and a local one.
class StorageStatusRefresherTest : public testing::Test {
 protected:
  StorageStatusRefresherTest() {
    storages_ = {Nfs("nas", "eno1"), Nfs("san", "eno2"), Nfs("far", "eno3")};
    storages_.emplace_back().storage.storage_id = "local";
  }

  hooks::HookOutcome Run(const bus::v1::Delivery& delivery) {
    return MakeHook().run(client::EventContext(delivery, nullptr, {}), {});
  }
  hooks::Hook MakeHook() {
    return StorageStatusRefresher(
        {.storages = [this] { return storages_; },
         .refresh = [this](const auto& ids, const auto& parent, const std::stop_token&) { return Refresh(ids, parent); },
         .announce =
             [this](const std::stop_token&) {
               calls_.push_back("announce");
               return announced_;
             },
         .probe_limit = std::chrono::seconds(4)});
  }

  StorageBoard::Outcome Refresh(const std::vector<std::string>& ids, const std::string& parent) {
    calls_.push_back(parent + " " + absl::StrJoin(ids, ","));
    StorageBoard::Outcome outcome{.stored = stored_};
    for (const StorageStatus& before : storages_) {
      const std::string& id = before.storage.storage_id;
      if (id == gone_ || std::find(ids.begin(), ids.end(), id) == ids.end()) continue;
      Refreshed& refreshed = outcome.refreshed.emplace_back();
      refreshed.before = before.state;
      refreshed.now = before;
      refreshed.now.state = found_;
      refreshed.now.reason = "as found";
    }
    return outcome;
  }

  std::vector<StorageStatus> storages_;
  StorageState found_ = StorageState::kActive;
  std::string gone_;
  absl::Status stored_;
  absl::Status announced_;
  std::vector<std::string> calls_;
};

TEST_F(StorageStatusRefresherTest, ExactlyTheTouchedStoragesAreCheckedAndTheOthersSayWhyNot) {
  found_ = StorageState::kError;

  const hooks::HookOutcome outcome = Run(NetworkApplied("eno1"));

  EXPECT_THAT(calls_, ElementsAre("e1 nas", "announce"));
  EXPECT_EQ(outcome.state, HOOK_STATE_CHANGED);
  EXPECT_EQ(outcome.message, "3 network storages: 1 checked (1 changed), 2 not touched");
  ASSERT_EQ(outcome.details.size(), 3u);
  EXPECT_EQ(outcome.details[0].state, HOOK_STATE_CHANGED);
  EXPECT_EQ(outcome.details[0].resource, "storage/nas");
  EXPECT_EQ(outcome.details[0].before, "active (answers)");
  EXPECT_EQ(outcome.details[0].after, "error (as found)");
  EXPECT_THAT(outcome.details[0].message, HasSubstr("eno1"));
  EXPECT_EQ(outcome.details[1].state, HOOK_STATE_SKIPPED);
  EXPECT_EQ(outcome.details[1].resource, "storage/san");
  EXPECT_EQ(outcome.details[1].after, "active (answers)");
  EXPECT_THAT(outcome.details[1].message, HasSubstr("did not change"));
}

TEST_F(StorageStatusRefresherTest, AStorageThatIsStillInErrorIsAResultAndNoFailure) {
  storages_[0].state = found_ = StorageState::kError;

  const hooks::HookOutcome outcome = Run(NetworkApplied("eno1"));

  EXPECT_EQ(outcome.state, HOOK_STATE_UNCHANGED);
  EXPECT_EQ(outcome.details[0].state, HOOK_STATE_UNCHANGED);
  EXPECT_EQ(outcome.message, "3 network storages: 1 checked, 2 not touched");
  EXPECT_THAT(calls_, ElementsAre("e1 nas"));
}

TEST_F(StorageStatusRefresherTest, WhenNothingIsTouchedNothingIsChecked) {
  const hooks::HookOutcome outcome = Run(NetworkApplied("dummy0"));

  EXPECT_EQ(outcome.state, HOOK_STATE_SKIPPED);
  EXPECT_EQ(outcome.message, "3 network storages: 0 checked, 3 not touched");
  EXPECT_THAT(calls_, IsEmpty());
}

TEST_F(StorageStatusRefresherTest, WithoutNetworkStoragesItIsSkipped) {
  storages_.erase(storages_.begin(), storages_.begin() + 3);

  EXPECT_EQ(Run(NetworkApplied("eno1")).message, "storage.cfg has no network storages");
}

TEST_F(StorageStatusRefresherTest, AStorageThatWentMeanwhileSaysSo) {
  gone_ = "nas";

  const hooks::HookOutcome outcome = Run(NetworkApplied("eno1"));

  EXPECT_EQ(outcome.details[0].state, HOOK_STATE_SKIPPED);
  EXPECT_EQ(outcome.details[0].message, "not checked: it is gone from storage.cfg");
}

TEST_F(StorageStatusRefresherTest, AStoreThatFailsFailsTheHook) {
  stored_ = absl::UnavailableError("the disk is full");

  const hooks::HookOutcome outcome = Run(NetworkApplied("eno1"));

  EXPECT_EQ(outcome.state, HOOK_STATE_FAILED);
  EXPECT_EQ(outcome.message, "3 network storages: 1 checked, 2 not touched; the disk is full");
}

TEST_F(StorageStatusRefresherTest, WhatIsNotPublishedYetIsSaid) {
  found_ = StorageState::kError;
  announced_ = absl::UnavailableError("no bus");

  const hooks::HookOutcome outcome = Run(NetworkApplied("eno1"));

  EXPECT_EQ(outcome.state, HOOK_STATE_CHANGED);
  EXPECT_THAT(outcome.message, HasSubstr("could not be published yet: no bus"));
}

TEST_F(StorageStatusRefresherTest, OneThatWasStoppedHasNotSucceeded) {
  gone_ = "nas";
  stored_ = absl::CancelledError("the check was stopped");

  const hooks::HookOutcome outcome = Run(NetworkApplied("eno1"));

  EXPECT_EQ(outcome.state, HOOK_STATE_FAILED);
  EXPECT_EQ(outcome.details[0].message, "not checked");
}

TEST_F(StorageStatusRefresherTest, TheStorageOfANewVlanIsChecked) {
  storages_[1].state = StorageState::kError;

  const hooks::HookOutcome outcome = Run(VlanCreated("san"));

  EXPECT_THAT(calls_, ElementsAre("e2 san", "announce"));
  EXPECT_EQ(outcome.state, HOOK_STATE_CHANGED);
  EXPECT_EQ(outcome.resource, "storage/san");
  EXPECT_EQ(outcome.before, "error (answers)");
  EXPECT_EQ(outcome.after, "active (as found)");
  EXPECT_THAT(outcome.details, IsEmpty());
}

TEST_F(StorageStatusRefresherTest, AVlanOfAnUnknownStorageIsSkipped) {
  const hooks::HookOutcome outcome = Run(VlanCreated("nobody"));

  EXPECT_EQ(outcome.state, HOOK_STATE_SKIPPED);
  EXPECT_EQ(outcome.resource, "storage/nobody");
  EXPECT_EQ(outcome.message, "not in storage.cfg");
  EXPECT_THAT(calls_, IsEmpty());
}

TEST_F(StorageStatusRefresherTest, OtherEventsAreNoneOfItsBusiness) {
  bus::v1::Delivery delivery;
  delivery.mutable_event()->mutable_container_started()->set_id(101);

  EXPECT_EQ(Run(delivery).state, HOOK_STATE_SKIPPED);
  EXPECT_THAT(calls_, IsEmpty());
}

TEST_F(StorageStatusRefresherTest, ADryRunSaysWhatWouldBeChecked) {
  for (bus::v1::Delivery delivery : {NetworkApplied("eno1"), VlanCreated("nas")}) {
    delivery.set_dry_run(true);

    const hooks::HookOutcome outcome = Run(delivery);

    EXPECT_EQ(outcome.state, HOOK_STATE_DRY_RUN);
    EXPECT_THAT(outcome.message, HasSubstr("would be checked"));
    EXPECT_THAT(calls_, IsEmpty());
  }
}

TEST_F(StorageStatusRefresherTest, ItHasTheProbeLimitAndSomeMore) { EXPECT_EQ(MakeHook().time_limit, std::chrono::seconds(9)); }

}  // namespace
}  // namespace pvebus::storage
