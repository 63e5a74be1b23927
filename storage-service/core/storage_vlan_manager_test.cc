#include "storage-service/core/storage_vlan_manager.h"

#include <atomic>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "storage-service/core/testing_vlan_world.h"

namespace pvebus::storage {
namespace {

using Outcome = VlanReport::Outcome;
using testing::HasSubstr;

const StorageVlan kVlan = VlanWorld::Vlan();
const StorageVlan kSimple = VlanWorld::SimpleVlan();

TEST(StorageVlanManagerTest, CreateMakesTheLinkAndTellsOnce) {
  VlanWorld world;

  const auto report = world.manager.Create(kVlan, false, "event-1");

  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->outcome, Outcome::kChanged);
  EXPECT_TRUE(report->link_created);
  EXPECT_EQ(report->before, "missing");
  EXPECT_EQ(report->after, "mtu 1500, up, 10.1.0.5/24, 10.2.0.0/16 via 10.1.0.1, 10.3.0.0/16 via 10.1.0.1, isolated");
  EXPECT_THAT(report->message, HasSubstr("created vmbr0.100, set its MTU to 1500 (was 9000), isolated it"));
  const auto notices = *world.store.Notices();
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].kind, Notice::Kind::kVlanCreated);
  EXPECT_EQ(notices[0].storage_id, "nas");
  EXPECT_EQ(notices[0].parent_event_id, "event-1");
  EXPECT_EQ(world.notified, 1);
  EXPECT_TRUE(world.InOrder());
}

TEST(StorageVlanManagerTest, TheSameAgainChangesAndTellsNothing) {
  VlanWorld world;
  ASSERT_TRUE(world.manager.Create(kVlan, false).ok());
  const std::string kernel = world.kernel.Text();
  StorageVlan same = kVlan;
  std::swap(same.routed_subnets[0], same.routed_subnets[1]);

  const auto created = world.manager.Create(same, false);
  const auto reconciled = world.manager.Reconcile("", false);

  EXPECT_EQ(created->outcome, Outcome::kUnchanged);
  EXPECT_EQ(reconciled->at(0).outcome, Outcome::kUnchanged);
  EXPECT_EQ(world.kernel.Text(), kernel);
  EXPECT_EQ(world.Told(Notice::Kind::kVlanCreated), 1);
}

TEST(StorageVlanManagerTest, AdoptedLinkIsNotToldOfAndStaysAfterDelete) {
  VlanWorld world;
  Link& link = world.AddLink(kVlan);
  link.addresses = {*ParseIpPrefix("192.168.1.1/24")};
  link.mtu = 1500;
  const std::string before = world.kernel.Text();

  const auto created = world.manager.Create(kVlan, false);
  const auto deleted = world.manager.Delete("nas", false);

  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_THAT(created->message, HasSubstr("adopted vmbr0.100"));
  EXPECT_FALSE(created->link_created);
  EXPECT_EQ(world.Told(Notice::Kind::kVlanCreated), 0);
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_THAT(deleted->message, HasSubstr("vmbr0.100 was there before and stays"));
  EXPECT_EQ(world.kernel.Text(), before);
  EXPECT_EQ(world.Told(Notice::Kind::kVlanDeleted), 1);
}

TEST(StorageVlanManagerTest, PartsThatWereThereBeforeStayAfterDelete) {
  VlanWorld world;
  Link& link = world.AddLink(kVlan);
  link.addresses = {kVlan.address};
  link.up = true;
  world.kernel.Find("vmbr0")->bridge_vids = {1, 100};
  ASSERT_TRUE(world.manager.Create(kVlan, false).ok());

  const auto deleted = world.manager.Delete("nas", false);

  EXPECT_EQ(
      deleted->message,
      "removed the route to 10.2.0.0/16, removed the route to 10.3.0.0/16, released it; vmbr0.100 was there before and stays");
  EXPECT_EQ(deleted->after, "mtu 1500, up, 10.1.0.5/24");
}

TEST(StorageVlanManagerTest, DeleteTakesAwayWhatWeMade) {
  VlanWorld world;
  const std::string before = world.kernel.Text();
  ASSERT_TRUE(world.manager.Create(kVlan, false).ok());

  const auto report = world.manager.Delete("nas", false);

  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->message, "deleted vmbr0.100, removed tag 100 from bridge vmbr0, released it");
  EXPECT_EQ(report->after, "missing");
  EXPECT_EQ(world.kernel.Text(), before);
  EXPECT_TRUE(world.Records().empty());
  EXPECT_EQ(world.store.Notices()->back().kind, Notice::Kind::kVlanDeleted);
  EXPECT_EQ(world.store.Notices()->back().link, "vmbr0.100");
  EXPECT_EQ(ErrorReason(world.manager.Delete("nas", false).status()), "VLAN_NOT_FOUND");
}

TEST(StorageVlanManagerTest, AVlanThatCarriesAnotherStoragesIsNotDeletedUnderIt) {
  VlanWorld world;
  StorageVlan rider = kSimple;
  rider.storage_id = "rider";
  rider.base = kSimple.LinkName();
  rider.address = *ParseIpPrefix("10.8.0.5/24");
  ASSERT_TRUE(world.manager.Create(kSimple, false).ok());
  ASSERT_TRUE(world.manager.Create(rider, false).ok());

  const absl::Status refused = world.manager.Delete("backup", false).status();

  EXPECT_EQ(ErrorReason(refused), "VLAN_IN_USE");
  EXPECT_NE(world.kernel.Find("eno1.7"), nullptr);
  EXPECT_TRUE(world.manager.Delete("rider", false).ok());
  EXPECT_TRUE(world.manager.Delete("backup", false).ok());
}

TEST(StorageVlanManagerTest, AnotherLinkThatHasTakenTheNameIsNotDeleted) {
  VlanWorld world;
  ASSERT_TRUE(world.manager.Create(kSimple, false).ok());
  world.kernel.Delete("eno1.7");
  world.kernel.Add({.name = "eno1.7", .kind = "dummy"});

  const auto report = world.manager.Delete("backup", false);

  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->message, "eno1.7 is a link of kind dummy now and stays");
  EXPECT_NE(world.kernel.Find("eno1.7"), nullptr);
}

TEST(StorageVlanManagerTest, AnotherDefinitionIsRefusedWithBothSidesNamed) {
  VlanWorld world;
  ASSERT_TRUE(world.manager.Create(kSimple, false).ok());
  StorageVlan other_address = kSimple;
  other_address.address = *ParseIpPrefix("10.7.0.6/24");
  StorageVlan other_storage = kSimple;
  other_storage.storage_id = "nas";

  const absl::Status of_storage = world.manager.Create(other_address, false).status();
  const absl::Status of_link = world.manager.Create(other_storage, false).status();

  EXPECT_EQ(ErrorReason(of_storage), "VLAN_EXISTS");
  EXPECT_EQ(of_storage.message(),
            "storage backup has the VLAN eno1.7 10.7.0.5/24, asked for was eno1.7 10.7.0.6/24; delete the first");
  EXPECT_EQ(ErrorReason(of_link), "VLAN_EXISTS");
  EXPECT_THAT(std::string(of_link.message()), HasSubstr("eno1.7 is the VLAN of storage backup"));
}

TEST(StorageVlanManagerTest, ConflictLeavesNothing) {
  VlanWorld world;
  world.kernel.Add({.name = "eno1.7", .kind = "dummy"});
  const std::string before = world.kernel.Text();

  EXPECT_EQ(ErrorReason(world.manager.Create(kSimple, false).status()), "VLAN_CONFLICT");

  EXPECT_EQ(world.kernel.Text(), before);
  EXPECT_TRUE(world.Records().empty());
}

TEST(StorageVlanManagerTest, DryRunChangesNothing) {
  VlanWorld world;
  const std::string before = world.kernel.Text();

  const auto create = world.manager.Create(kSimple, true);

  EXPECT_EQ(create->outcome, Outcome::kDryRun);
  EXPECT_EQ(create->message, "would create eno1.7, add 10.7.0.5/24, bring it up");
  EXPECT_EQ(create->after, "mtu 9000, up, 10.7.0.5/24");
  EXPECT_EQ(world.kernel.Text(), before);
  EXPECT_TRUE(world.Records().empty());

  ASSERT_TRUE(world.manager.Create(kSimple, false).ok());
  const std::string made = world.kernel.Text();
  EXPECT_EQ(world.manager.Delete("backup", true)->message, "would delete eno1.7");
  EXPECT_EQ(world.manager.Reconcile("", true)->at(0).outcome, Outcome::kUnchanged);
  EXPECT_EQ(world.kernel.Text(), made);
  world.kernel.Delete("eno1.7");
  EXPECT_EQ(world.manager.Reconcile("", true)->at(0).outcome, Outcome::kDryRun);
  EXPECT_EQ(world.kernel.Text(), before);
  EXPECT_EQ(world.Told(Notice::Kind::kVlanCreated), 1);
}

TEST(StorageVlanManagerTest, ReconcileMakesAMissingLinkAgainAndTells) {
  VlanWorld world;
  ASSERT_TRUE(world.manager.Create(kVlan, false).ok());
  const std::string made = world.kernel.Text();
  world.kernel.Delete("vmbr0.100");

  const auto reports = world.manager.Reconcile("nas", false, "event-2");

  EXPECT_EQ(reports->at(0).outcome, Outcome::kChanged);
  EXPECT_TRUE(reports->at(0).link_created);
  EXPECT_EQ(world.kernel.Text(), made);
  EXPECT_EQ(world.Told(Notice::Kind::kVlanCreated), 2);
  EXPECT_EQ(world.store.Notices()->back().parent_event_id, "event-2");
}

TEST(StorageVlanManagerTest, ReconcileCorrectsWithoutTelling) {
  VlanWorld world;
  ASSERT_TRUE(world.manager.Create(kVlan, false).ok());
  const std::string made = world.kernel.Text();
  world.kernel.Find("vmbr0.100")->mtu = 1400;

  const auto reports = world.manager.Reconcile("", false);

  EXPECT_EQ(reports->at(0).message, "set its MTU to 1500 (was 1400)");
  EXPECT_FALSE(reports->at(0).link_created);
  EXPECT_EQ(world.kernel.Text(), made);
  EXPECT_EQ(world.Told(Notice::Kind::kVlanCreated), 1);
}

TEST(StorageVlanManagerTest, ReconcileWithoutItsBaseFails) {
  VlanWorld world;
  ASSERT_TRUE(world.manager.Create(kSimple, false).ok());
  ASSERT_TRUE(world.manager.Create(kVlan, false).ok());
  world.kernel.Delete("eno1");

  const auto reports = world.manager.Reconcile("", false);

  ASSERT_EQ(reports->size(), 2u);
  EXPECT_EQ(reports->at(0).outcome, Outcome::kFailed);
  EXPECT_EQ(ErrorReason(reports->at(0).status), "BASE_MISSING");
  EXPECT_EQ(reports->at(1).outcome, Outcome::kUnchanged);
  EXPECT_EQ(world.manager.Reconcile("other", false).status().code(), absl::StatusCode::kNotFound);
}

TEST(StorageVlanManagerTest, LinkThatSomebodyElseMadeAfterTheBaseWasGoneIsTheirs) {
  VlanWorld world;
  ASSERT_TRUE(world.manager.Create(kSimple, false).ok());
  world.kernel.Delete("eno1");
  world.manager.OnLinksChanged();
  world.kernel.Add({.name = "eno1", .mtu = 9000, .up = true});
  world.AddLink(kSimple).up = true;

  world.manager.OnLinksChanged();
  const auto deleted = world.manager.Delete("backup", false);

  EXPECT_THAT(deleted->message, HasSubstr("eno1.7 was there before and stays"));
  EXPECT_NE(world.kernel.Find("eno1.7"), nullptr);
}

TEST(StorageVlanManagerTest, LinkThatWasDeletedBehindOurBackComesBack) {
  VlanWorld world;
  ASSERT_TRUE(world.manager.Create(kSimple, false).ok());
  EXPECT_TRUE(world.manager.OnLinksChanged().empty());
  world.kernel.Delete("eno1.7");

  const auto reports = world.manager.OnLinksChanged();

  ASSERT_EQ(reports.size(), 1u);
  EXPECT_TRUE(reports[0].link_created);
  EXPECT_EQ(world.Told(Notice::Kind::kVlanCreated), 2);
  EXPECT_EQ(world.notified, 2);
  EXPECT_TRUE(world.InOrder());
}

TEST(StorageVlanManagerTest, RecreatedBaseGetsItsVlanAgain) {
  VlanWorld world;
  ASSERT_TRUE(world.manager.Create(kVlan, false).ok());
  world.kernel.Delete("vmbr0");
  EXPECT_TRUE(world.manager.OnLinksChanged().empty());
  world.kernel.Add({.name = "vmbr0", .kind = "bridge", .mtu = 9000, .up = false, .vlan_aware = true, .bridge_vids = {1}});
  const auto while_down = world.manager.OnLinksChanged();
  ASSERT_EQ(while_down.size(), 1u);
  EXPECT_THAT(while_down[0].message, HasSubstr("vmbr0 is down"));
  EXPECT_FALSE(world.InOrder());
  world.kernel.BringUp("vmbr0", true);

  const auto reports = world.manager.OnLinksChanged();

  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].message, "added the route to 10.2.0.0/16, added the route to 10.3.0.0/16");
  EXPECT_TRUE(world.InOrder());
}

TEST(StorageVlanManagerTest, OnlyALinkThatIsThereIsAdopted) {
  VlanWorld world;
  world.AddLink(kSimple);
  ASSERT_TRUE(world.manager.Create(kSimple, false).ok());
  EXPECT_TRUE(world.manager.List()->at(0).adopted);

  world.kernel.Delete("eno1");
  world.manager.OnLinksChanged();

  EXPECT_FALSE(world.manager.List()->at(0).adopted);
}

TEST(StorageVlanManagerTest, OneReadOfTheKernelIsEnoughWhenNothingDiffers) {
  VlanWorld world;
  world.manager.OnLinksChanged();
  EXPECT_EQ(world.kernel.reads(), 0);
  ASSERT_TRUE(world.manager.Create(kVlan, false).ok());
  ASSERT_TRUE(world.manager.Create(kSimple, false).ok());
  const int reads = world.kernel.reads();

  EXPECT_TRUE(world.manager.OnLinksChanged().empty());

  EXPECT_EQ(world.kernel.reads(), reads + 1);
}

TEST(StorageVlanManagerTest, FightEndsContestedUntilSomebodyAsks) {
  VlanWorld world;
  ASSERT_TRUE(world.manager.Create(kSimple, false).ok());
  for (int i = 0; i < RepairBudget::kMostRepairs; ++i) {
    world.kernel.Delete("eno1.7");
    ASSERT_TRUE(world.manager.OnLinksChanged().at(0).link_created) << i;
  }
  world.kernel.Delete("eno1.7");

  const auto reports = world.manager.OnLinksChanged();

  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(ErrorReason(reports[0].status), "VLAN_CONTESTED");
  EXPECT_TRUE(world.manager.OnLinksChanged().empty());
  EXPECT_TRUE(world.manager.List()->at(0).contested);
  EXPECT_EQ(world.manager.List()->at(0).findings, "eno1.7 is missing");
  EXPECT_TRUE(world.manager.Reconcile("", false)->at(0).link_created);
  EXPECT_FALSE(world.manager.List()->at(0).contested);
  EXPECT_TRUE(world.InOrder());
}

TEST(StorageVlanManagerTest, FullDiskIsNoFightHoweverLongItIs) {
  VlanWorld world;
  ASSERT_TRUE(world.manager.Create(kSimple, false).ok());
  world.kernel.Delete("eno1.7");
  world.store.FailWith(absl::ResourceExhaustedError("full"));
  for (int i = 0; i < 2 * RepairBudget::kMostRepairs; ++i) world.manager.OnLinksChanged();
  EXPECT_FALSE(world.manager.List()->at(0).contested);
  world.store.FailWith(absl::OkStatus());

  const auto reports = world.manager.OnLinksChanged();

  ASSERT_EQ(reports.size(), 1u);
  EXPECT_TRUE(reports[0].link_created) << reports[0].message;
}

TEST(StorageVlanManagerTest, WhatTheKernelRefusesFromTheFirstStepIsNoFight) {
  VlanWorld world;
  ASSERT_TRUE(world.manager.Create(kSimple, false).ok());
  world.kernel.Delete("eno1.7");
  constexpr int kFirstStep = 1;  // after what is written down before
  for (int i = 0; i < 2 * RepairBudget::kMostRepairs; ++i) {
    world.faults.Arm(Faults::Kind::kFail, kFirstStep);
    world.manager.OnLinksChanged();
    world.faults.Disarm();
  }
  EXPECT_FALSE(world.manager.List()->at(0).contested);

  EXPECT_TRUE(world.manager.OnLinksChanged().at(0).link_created);
}

TEST(StorageVlanManagerTest, LastingFailureIsSaidOnceUnasked) {
  VlanWorld world;
  ASSERT_TRUE(world.manager.Create(kSimple, false).ok());
  world.kernel.Delete("eno1.7");
  world.kernel.Add({.name = "eno1.7", .kind = "dummy"});

  EXPECT_EQ(world.manager.OnLinksChanged().size(), 1u);
  EXPECT_TRUE(world.manager.OnLinksChanged().empty());
  world.kernel.Delete("eno1.7");
  EXPECT_TRUE(world.manager.OnLinksChanged().at(0).link_created);
}

TEST(StorageVlanManagerTest, DeletionThatTheKernelRefusesIsKeptAndNotRecreated) {
  VlanWorld world;
  ASSERT_TRUE(world.manager.Create(kSimple, false).ok());
  world.faults.Arm(Faults::Kind::kFail, 1);
  EXPECT_EQ(ErrorReason(world.manager.Delete("backup", false).status()), "KERNEL_REFUSED");
  world.faults.Disarm();
  world.kernel.Delete("eno1.7");

  EXPECT_TRUE(world.manager.OnLinksChanged().empty());
  EXPECT_EQ(world.manager.Reconcile("", false)->at(0).outcome, Outcome::kUnchanged);
  EXPECT_EQ(ErrorReason(world.manager.Create(kSimple, false).status()), "VLAN_DELETING");
  EXPECT_EQ(world.kernel.Find("eno1.7"), nullptr);
  EXPECT_TRUE(world.manager.Delete("backup", false).ok());
  EXPECT_EQ(world.Told(Notice::Kind::kVlanDeleted), 1);
}

TEST(StorageVlanManagerTest, WhoHearsOfANoticeMayUseTheManager) {
  VlanWorld world;
  std::vector<VlanReport> reports;
  StorageVlanManager* manager = nullptr;
  StorageVlanManager made(world.kernel, world.kernel, world.store, world.clock,
                          [&] { reports = *manager->Reconcile("", false); });
  manager = &made;

  ASSERT_TRUE(made.Create(kSimple, false).ok());

  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].outcome, Outcome::kUnchanged);
}

TEST(StorageVlanManagerTest, ThreadsChangeOneAfterTheOther) {
  constexpr int kRounds = 100;
  FakeClock clock;
  FakeKernel kernel;
  kernel.Add({.name = "eno1", .up = true});
  MemoryStorageStore store;
  std::atomic<int> notified = 0;
  StorageVlanManager manager(kernel, kernel, store, clock, [&] { ++notified; });
  const auto create_and_delete = [&](uint16_t tag) {
    const std::string id = "nas" + std::to_string(tag);
    const IpPrefix address = *ParseIpPrefix("10." + std::to_string(tag) + ".0.5/24");
    for (int i = 0; i < kRounds; ++i) {
      EXPECT_TRUE(manager.Create({.storage_id = id, .base = "eno1", .tag = tag, .address = address}, false).ok());
      EXPECT_TRUE(manager.Delete(id, false).ok());
    }
  };

  std::vector<std::thread> threads;
  for (const uint16_t tag : {1, 2}) threads.emplace_back(create_and_delete, tag);
  threads.emplace_back([&] {
    for (int i = 0; i < kRounds; ++i) {
      EXPECT_TRUE(manager.List().ok());
      EXPECT_TRUE(manager.OnLinksChanged().empty());
      EXPECT_TRUE(manager.Reconcile("", false).ok());
    }
  });
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(kernel.Text(), "eno1  on - tag 0 mtu 1500 up\n");
  EXPECT_EQ(store.Notices()->size(), 4u * kRounds);
  EXPECT_GT(notified, 0);
}

TEST(StorageVlanManagerTest, VlanThatIsNotIsolatedNeedsNoNftables) {
  class NoIsolation final : public LinkIsolation {
    absl::StatusOr<std::optional<std::vector<IpPrefix>>> Read(const std::string&) override { return absl::InternalError("no"); }
    absl::Status Isolate(const std::string&, const std::vector<IpPrefix>&) override { return absl::InternalError("no"); }
    absl::Status Release(const std::string&) override { return absl::InternalError("no"); }
  };
  VlanWorld world;
  NoIsolation isolation;
  StorageVlanManager manager(world.kernel, isolation, world.store, world.clock, [] {});

  EXPECT_TRUE(manager.Create(kSimple, false).ok());
  EXPECT_FALSE(manager.Create(kVlan, false).ok());
  EXPECT_TRUE(manager.Delete("backup", false).ok());
}

TEST(StorageVlanManagerTest, ListShowsDefinitionsEvenWhenTheKernelIsSilent) {
  VlanWorld world;
  ASSERT_TRUE(world.manager.Create(kSimple, false).ok());
  Faults silent;
  silent.Arm(Faults::Kind::kDieBefore, 0);
  (void)silent.Do([] { return absl::OkStatus(); });
  FakeKernel kernel(silent);
  StorageVlanManager manager(kernel, kernel, world.store, world.clock, [] {});

  const auto statuses = manager.List();

  ASSERT_EQ(statuses->size(), 1u);
  EXPECT_FALSE(statuses->at(0).in_order);
  EXPECT_EQ(statuses->at(0).findings, "the test says no");
}

}  // namespace
}  // namespace pvebus::storage
