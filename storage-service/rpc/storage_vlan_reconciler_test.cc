#include "storage-service/rpc/storage_vlan_reconciler.h"

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
using ::testing::IsEmpty;
using Outcome = VlanReport::Outcome;

bus::v1::Delivery NetworkApplied() {
  bus::v1::Delivery delivery;
  delivery.mutable_event()->set_event_id("e1");
  delivery.mutable_event()->mutable_network_applied()->add_changes()->set_target("vmbr0");
  return delivery;
}

VlanReport Report(const std::string& storage_id, Outcome outcome, const std::string& message = "") {
  return {.storage_id = storage_id, .link = "vmbr0.20", .outcome = outcome, .message = message};
}

class StorageVlanReconcilerTest : public testing::Test {
 protected:
  hooks::HookOutcome Run(const bus::v1::Delivery& delivery = NetworkApplied()) {
    const hooks::Hook hook = StorageVlanReconciler({.reconcile =
                                                        [this](bool dry_run, const std::string& parent) {
                                                          calls_.push_back(parent + (dry_run ? " dry" : ""));
                                                          return reports_;
                                                        },
                                                    .announce =
                                                        [this](const std::stop_token&) {
                                                          calls_.push_back("announce");
                                                          return announced_;
                                                        }});
    return hook.run(client::EventContext(delivery, nullptr, {}), {});
  }

  absl::StatusOr<std::vector<VlanReport>> reports_ = std::vector<VlanReport>();
  absl::Status announced_;
  std::vector<std::string> calls_;
};

TEST_F(StorageVlanReconcilerTest, EachVlanIsADetailWithBeforeAndAfter) {
  VlanReport changed = Report("nas", Outcome::kChanged, "mtu set");
  changed.before = "mtu 1500";
  changed.after = "mtu 9000";
  reports_ = {changed, Report("san", Outcome::kUnchanged)};

  const hooks::HookOutcome outcome = Run();

  EXPECT_EQ(outcome.state, HOOK_STATE_CHANGED);
  EXPECT_EQ(outcome.resource, "network");
  EXPECT_EQ(outcome.message, "2 VLANs: 1 changed, 1 in order");
  ASSERT_EQ(outcome.details.size(), 2u);
  EXPECT_EQ(outcome.details[0].state, HOOK_STATE_CHANGED);
  EXPECT_EQ(outcome.details[0].resource, "storage/nas");
  EXPECT_EQ(outcome.details[0].before, "mtu 1500");
  EXPECT_EQ(outcome.details[0].after, "mtu 9000");
  EXPECT_EQ(outcome.details[0].message, "vmbr0.20: mtu set");
  EXPECT_EQ(outcome.details[1].state, HOOK_STATE_UNCHANGED);
  EXPECT_EQ(outcome.details[1].message, "vmbr0.20");
  EXPECT_THAT(calls_, ElementsAre("e1"));
}

TEST_F(StorageVlanReconcilerTest, ANewLinkIsPublishedBeforeTheHookEnds) {
  VlanReport created = Report("nas", Outcome::kChanged, "created vmbr0.20");
  created.link_created = true;
  reports_ = {created};

  EXPECT_EQ(Run().message, "1 VLAN: 1 changed; StorageVlanCreated was published for nas");
  EXPECT_THAT(calls_, ElementsAre("e1", "announce"));

  announced_ = absl::UnavailableError("no bus");
  EXPECT_EQ(Run().message, "1 VLAN: 1 changed; StorageVlanCreated for nas could not be published yet: no bus");
}

TEST_F(StorageVlanReconcilerTest, OneThatFailedFailsTheHook) {
  reports_ = {Report("nas", Outcome::kChanged), Report("san", Outcome::kFailed, "vmbr0 is missing")};

  const hooks::HookOutcome outcome = Run();

  EXPECT_EQ(outcome.state, HOOK_STATE_FAILED);
  EXPECT_EQ(outcome.message, "2 VLANs: 1 failed, 1 changed");
  EXPECT_EQ(outcome.details[1].state, HOOK_STATE_FAILED);
}

TEST_F(StorageVlanReconcilerTest, AStoreThatFailsFailsTheHook) {
  reports_ = absl::UnavailableError("the disk is full");

  const hooks::HookOutcome outcome = Run();

  EXPECT_EQ(outcome.state, HOOK_STATE_FAILED);
  EXPECT_EQ(outcome.message, "the disk is full");
}

TEST_F(StorageVlanReconcilerTest, WithoutDefinitionsItIsSkipped) {
  const hooks::HookOutcome outcome = Run();

  EXPECT_EQ(outcome.state, HOOK_STATE_SKIPPED);
  EXPECT_EQ(outcome.message, "no VLANs are defined");
}

TEST_F(StorageVlanReconcilerTest, OtherEventsAreNoneOfItsBusiness) {
  bus::v1::Delivery delivery;
  delivery.mutable_event()->mutable_storage_vlan_created()->set_id("nas");

  EXPECT_EQ(Run(delivery).state, HOOK_STATE_SKIPPED);
  EXPECT_THAT(calls_, IsEmpty());
}

TEST_F(StorageVlanReconcilerTest, ADryRunSaysWhatWouldBeDone) {
  bus::v1::Delivery delivery = NetworkApplied();
  delivery.set_dry_run(true);
  VlanReport report = Report("nas", Outcome::kDryRun, "would create vmbr0.20");
  report.link_created = true;
  reports_ = {report, Report("san", Outcome::kUnchanged)};

  const hooks::HookOutcome outcome = Run(delivery);

  EXPECT_EQ(outcome.state, HOOK_STATE_DRY_RUN);
  EXPECT_EQ(outcome.message, "2 VLANs: 1 would change, 1 in order");
  EXPECT_EQ(outcome.details[0].state, HOOK_STATE_DRY_RUN);
  EXPECT_EQ(outcome.details[0].message, "would create vmbr0.20");
  EXPECT_THAT(calls_, ElementsAre("e1 dry"));
}

}  // namespace
}  // namespace pvebus::storage
