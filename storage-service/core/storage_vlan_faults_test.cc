#include <functional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "storage-service/core/storage_vlan_manager.h"
#include "storage-service/core/testing_vlan_world.h"

namespace pvebus::storage {
namespace {

using Phase = StorageVlanRecord::Phase;

// A world in a state that an operation begins with.
struct Start {
  std::string name;
  std::function<void(VlanWorld&)> prepare;
};

void CreateVlan(VlanWorld& world) { ASSERT_TRUE(world.manager.Create(VlanWorld::Vlan(), false).ok()); }

std::vector<Start> WithoutDefinition() {
  return {
      {"nothing there", [](VlanWorld&) {}},
      {"a bare link to adopt", [](VlanWorld& world) { world.AddLink(VlanWorld::Vlan()); }},
      {"an equal link to adopt",
       [](VlanWorld& world) {
         CreateVlan(world);
         ASSERT_TRUE(world.store.RemoveVlan("nas", {}).ok());
         ASSERT_TRUE(world.store.RemoveNotice(1).ok());
       }},
  };
}

std::vector<Start> WithDefinition() {
  return {
      {"the link is gone",
       [](VlanWorld& world) {
         CreateVlan(world);
         world.kernel.Delete("vmbr0.100");
       }},
      {"an adopted link is gone",
       [](VlanWorld& world) {
         world.AddLink(VlanWorld::Vlan());
         CreateVlan(world);
         world.kernel.Delete("vmbr0.100");
       }},
      {"all of it was changed",
       [](VlanWorld& world) {
         CreateVlan(world);
         world.kernel.BringUp("vmbr0.100", false);
         world.kernel.Find("vmbr0.100")->mtu = 1400;
         world.kernel.Find("vmbr0.100")->addresses.clear();
         world.kernel.Find("vmbr0")->bridge_vids = {1};
       }},
  };
}

// Runs `operation` in fresh worlds, with each of its changing calls as the one that `kind` befalls, until it needs no more of
// them.
void ForEachCall(const std::vector<Start>& starts, Faults::Kind kind, const std::function<void(VlanWorld&, int told)>& check,
                 const std::function<void(VlanWorld&)>& operation, const std::function<void(VlanWorld&)>& before) {
  size_t checked = 0;
  for (const Start& start : starts) {
    for (int call = 0;; ++call) {
      SCOPED_TRACE(start.name + ", call " + std::to_string(call));
      VlanWorld world;
      start.prepare(world);
      const int told = world.Told(Notice::Kind::kVlanCreated);
      before(world);
      world.faults.Arm(kind, call);
      operation(world);
      const bool befell = world.faults.calls() > call;
      world.faults.Disarm();
      if (!befell) break;
      check(world, told);
      ++checked;
      if (testing::Test::HasFailure()) return;
    }
  }
  EXPECT_GE(checked, 5u);
}

TEST(StorageVlanFaultTest, CreateThatFailsLeavesNothing) {
  std::string kernel;
  absl::Status status;
  ForEachCall(
      WithoutDefinition(), Faults::Kind::kFail,
      [&](VlanWorld& world, int) {
        EXPECT_EQ(ErrorReason(status), "KERNEL_REFUSED");
        EXPECT_EQ(world.kernel.Text(), kernel);
        EXPECT_TRUE(world.Records().empty());
        EXPECT_TRUE(world.store.Notices()->empty());
        EXPECT_TRUE(world.manager.Create(VlanWorld::Vlan(), false).ok());
        EXPECT_TRUE(world.InOrder());
      },
      [&](VlanWorld& world) { status = world.manager.Create(VlanWorld::Vlan(), false).status(); },
      [&](VlanWorld& world) { kernel = world.kernel.Text(); });
}

TEST(StorageVlanFaultTest, CreateThatTheKernelLiesAboutLeavesNothing) {
  for (int call = 1; call <= 8; ++call) {
    SCOPED_TRACE(call);
    VlanWorld world;
    const std::string kernel = world.kernel.Text();
    world.faults.Arm(Faults::Kind::kLie, call);

    const auto report = world.manager.Create(VlanWorld::Vlan(), false);

    EXPECT_FALSE(report.ok());
    EXPECT_EQ(world.kernel.Text(), kernel);
    EXPECT_TRUE(world.Records().empty());
    EXPECT_TRUE(world.store.Notices()->empty());
  }
}

TEST(StorageVlanFaultTest, ReconcileThatFailsLeavesTheKernelAsItWas) {
  std::string kernel;
  std::vector<VlanReport> reports;
  ForEachCall(
      WithDefinition(), Faults::Kind::kFail,
      [&](VlanWorld& world, int told) {
        EXPECT_EQ(reports.at(0).outcome, VlanReport::Outcome::kFailed);
        const StorageVlanRecord record = world.Records().at(0);
        // When only telling of it failed it stays, and the record says so.
        const bool untold = record.phase == Phase::kRecreating;
        if (untold) {
          EXPECT_NE(world.kernel.Find("vmbr0.100"), nullptr);
        } else {
          EXPECT_EQ(world.kernel.Text(), kernel);
          EXPECT_EQ(record.phase, Phase::kDefined);
        }
        EXPECT_EQ(world.Told(Notice::Kind::kVlanCreated), told);
        const bool was_missing = kernel.find("vmbr0.100 vlan") == std::string::npos;
        EXPECT_EQ(world.manager.Reconcile("", false)->at(0).outcome, VlanReport::Outcome::kChanged);
        EXPECT_TRUE(world.InOrder());
        EXPECT_EQ(world.Told(Notice::Kind::kVlanCreated), told + (was_missing ? 1 : 0));
      },
      [&](VlanWorld& world) { reports = *world.manager.Reconcile("", false); },
      [&](VlanWorld& world) { kernel = world.kernel.Text(); });
}

TEST(StorageVlanFaultTest, DeleteThatFailsIsFinishedByTheNext) {
  absl::Status status;
  ForEachCall(
      {{"made", CreateVlan},
       {"adopted",
        [](VlanWorld& world) {
          world.AddLink(VlanWorld::Vlan());
          CreateVlan(world);
        }}},
      Faults::Kind::kFail,
      [&](VlanWorld& world, int) {
        EXPECT_FALSE(status.ok());
        EXPECT_EQ(world.Told(Notice::Kind::kVlanDeleted), 0);
        EXPECT_EQ(world.Records().size(), 1u);
        EXPECT_TRUE(world.manager.Delete("nas", false).ok());
        EXPECT_TRUE(world.Records().empty());
        EXPECT_EQ(world.Told(Notice::Kind::kVlanDeleted), 1);
        EXPECT_EQ(world.kernel.Find("vmbr0")->bridge_vids, std::vector<uint16_t>{1});
      },
      [&](VlanWorld& world) { status = world.manager.Delete("nas", false).status(); }, [](VlanWorld&) {});
}

TEST(StorageVlanFaultTest, DeleteThatTheKernelLiesAboutIsKept) {
  for (int call = 1; call <= 3; ++call) {
    SCOPED_TRACE(call);
    VlanWorld world;
    CreateVlan(world);
    world.faults.Arm(Faults::Kind::kLie, call);

    EXPECT_EQ(ErrorReason(world.manager.Delete("nas", false).status()), "VLAN_NOT_IN_PLACE");

    EXPECT_EQ(world.Records().at(0).phase, Phase::kDeleting);
    EXPECT_EQ(world.Told(Notice::Kind::kVlanDeleted), 0);
    EXPECT_TRUE(world.manager.Delete("nas", false).ok());
    EXPECT_EQ(world.Told(Notice::Kind::kVlanDeleted), 1);
  }
}

TEST(StorageVlanFaultTest, TellingThatFailsIsTriedAgainAndCostsNoRepair) {
  VlanWorld world;
  CreateVlan(world);
  world.kernel.Delete("vmbr0.100");
  const int last_write = 7;
  world.faults.Arm(Faults::Kind::kFail, last_write);
  EXPECT_EQ(world.manager.OnLinksChanged().at(0).outcome, VlanReport::Outcome::kFailed);
  ASSERT_EQ(world.Records().at(0).phase, Phase::kRecreating);
  EXPECT_NE(world.kernel.Find("vmbr0.100"), nullptr);
  for (int i = 0; i < 2 * RepairBudget::kMostRepairs; ++i) {
    world.faults.Arm(Faults::Kind::kFail, 0);
    world.manager.OnLinksChanged();
  }
  world.faults.Disarm();

  const auto reports = world.manager.OnLinksChanged();

  ASSERT_EQ(reports.size(), 1u);
  EXPECT_TRUE(reports[0].link_created);
  EXPECT_EQ(world.Told(Notice::Kind::kVlanCreated), 2);
}

TEST(StorageVlanFaultTest, LinkThatSomebodyElseMadeAfterARepairFailedIsTheirs) {
  VlanWorld world;
  CreateVlan(world);
  world.kernel.Delete("vmbr0.100");
  world.faults.Arm(Faults::Kind::kFail, 1);
  ASSERT_EQ(world.manager.Reconcile("", false)->at(0).outcome, VlanReport::Outcome::kFailed);
  world.faults.Disarm();
  world.AddLink(VlanWorld::Vlan());

  EXPECT_TRUE(world.manager.Delete("nas", false).ok());

  EXPECT_NE(world.kernel.Find("vmbr0.100"), nullptr);
}

TEST(StorageVlanFaultTest, WhatCannotBeTakenBackIsSaidAndKeptForDelete) {
  // The address is refused, and then so is the deletion of the link that was made for it.
  class Stubborn final : public KernelNetwork {
   public:
    explicit Stubborn(FakeKernel& kernel) : kernel_(kernel) {}
    bool stubborn = true;

    absl::StatusOr<NetworkSnapshot> Read() override { return kernel_.Read(); }
    absl::StatusOr<std::optional<FoundRoute>> Lookup(const IpAddress& to) override { return kernel_.Lookup(to); }
    absl::Status CreateVlan(const std::string& base, const std::string& name, uint16_t tag) override {
      return kernel_.CreateVlan(base, name, tag);
    }
    absl::Status DeleteLink(const std::string& name) override { return stubborn ? No() : kernel_.DeleteLink(name); }
    absl::Status SetMtu(const std::string& name, uint32_t mtu) override { return kernel_.SetMtu(name, mtu); }
    absl::Status SetUp(const std::string& name, bool up) override { return kernel_.SetUp(name, up); }
    absl::Status AddAddress(const std::string&, const IpPrefix&) override { return No(); }
    absl::Status RemoveAddress(const std::string&, const IpPrefix&) override { return No(); }
    absl::Status AddRoute(const std::string&, const IpPrefix&, const IpAddress&) override { return No(); }
    absl::Status RemoveRoute(const std::string&, const IpPrefix&, const IpAddress&) override { return No(); }
    absl::Status AddBridgeVid(const std::string&, uint16_t) override { return No(); }
    absl::Status RemoveBridgeVid(const std::string&, uint16_t) override { return No(); }

   private:
    static absl::Status No() { return MakeError(absl::StatusCode::kFailedPrecondition, "KERNEL_REFUSED", "no"); }
    FakeKernel& kernel_;
  };
  VlanWorld world;
  Stubborn kernel(world.kernel);
  StorageVlanManager manager(kernel, world.kernel, world.store, world.clock, [] {});

  const absl::Status status = manager.Create(VlanWorld::SimpleVlan(), false).status();

  EXPECT_EQ(
      status.message(),
      "eno1.7: could not add 10.7.0.5/24: no; and it could not be taken back: eno1.7: could not delete eno1.7: no; delete the "
      "VLAN of storage backup");
  EXPECT_EQ(world.Records().at(0).phase, Phase::kDeleting);
  EXPECT_TRUE(manager.OnLinksChanged().empty());
  kernel.stubborn = false;
  EXPECT_TRUE(manager.Delete("backup", false).ok());
  EXPECT_EQ(world.kernel.Find("eno1.7"), nullptr);
}

TEST(StorageVlanFaultTest, WhatAStoreThatFailsKeepsIsForgottenByTheNextCall) {
  // From the last write on the store fails for good: so does forgetting.
  class Full final : public StorageStore {
   public:
    explicit Full(MemoryStorageStore& store) : store_(store) {}
    int writes_left = 1;

    absl::StatusOr<std::vector<StorageVlanRecord>> Vlans() override { return store_.Vlans(); }
    absl::Status PutVlan(const StorageVlanRecord& record, const std::vector<Notice>& notices) override {
      return writes_left-- > 0 ? store_.PutVlan(record, notices) : absl::ResourceExhaustedError("full");
    }
    absl::Status RemoveVlan(const std::string& id, const std::vector<Notice>& notices) override {
      return writes_left-- > 0 ? store_.RemoveVlan(id, notices) : absl::ResourceExhaustedError("full");
    }
    absl::StatusOr<std::vector<std::pair<std::string, StorageState>>> ToldStates() override { return store_.ToldStates(); }
    absl::Status PutToldStates(const std::vector<std::pair<std::string, StorageState>>& states,
                               const std::vector<Notice>& notices) override {
      return store_.PutToldStates(states, notices);
    }
    absl::Status ForgetToldState(const std::string& id) override { return store_.ForgetToldState(id); }
    absl::StatusOr<std::vector<Notice>> Notices() override { return store_.Notices(); }
    absl::Status RemoveNotice(int64_t number) override { return store_.RemoveNotice(number); }

   private:
    MemoryStorageStore& store_;
  };
  for (const bool restart : {false, true}) {
    VlanWorld world;
    Full store(world.store);
    StorageVlanManager manager(world.kernel, world.kernel, store, world.clock, [] {});
    const std::string kernel = world.kernel.Text();

    EXPECT_FALSE(manager.Create(VlanWorld::Vlan(), false).ok());
    EXPECT_EQ(world.kernel.Text(), kernel);
    EXPECT_TRUE(manager.OnLinksChanged().empty());
    EXPECT_EQ(world.kernel.Text(), kernel);
    store.writes_left = 100;
    if (restart) {
      EXPECT_TRUE(world.manager.Restore().ok());
    } else {
      EXPECT_TRUE(manager.Reconcile("", false)->empty());
    }

    EXPECT_TRUE(world.Records().empty());
    EXPECT_TRUE(world.store.Notices()->empty());
    EXPECT_EQ(world.kernel.Text(), kernel);
  }
}

class StorageVlanCrashTest : public testing::TestWithParam<Faults::Kind> {};
INSTANTIATE_TEST_SUITE_P(BeforeOrAfterTheCall, StorageVlanCrashTest,
                         testing::Values(Faults::Kind::kDieBefore, Faults::Kind::kDieAfter));

// The process that comes next.
absl::Status Restart(VlanWorld& world) {
  StorageVlanManager next(world.kernel, world.kernel, world.store, world.clock, [] {});
  return next.Restore();
}

TEST_P(StorageVlanCrashTest, CreateIsFinishedOrTakenBack) {
  std::string kernel;
  ForEachCall(
      WithoutDefinition(), GetParam(),
      [&](VlanWorld& world, int) {
        const bool was_missing = kernel.find("vmbr0.100 vlan") == std::string::npos;
        EXPECT_TRUE(Restart(world).ok());
        if (world.Records().empty()) {
          // Of an adopted link an MTU that was set may stay.
          EXPECT_TRUE(!was_missing || world.kernel.Text() == kernel) << world.kernel.Text();
          EXPECT_EQ(world.Told(Notice::Kind::kVlanCreated), 0);
        } else {
          EXPECT_EQ(world.Records().at(0).phase, Phase::kDefined);
          EXPECT_TRUE(world.InOrder());
          EXPECT_EQ(world.Told(Notice::Kind::kVlanCreated), was_missing ? 1 : 0);
        }
        EXPECT_TRUE(Restart(world).ok());
        EXPECT_LE(world.Told(Notice::Kind::kVlanCreated), was_missing ? 1 : 0);
        EXPECT_EQ(world.Told(Notice::Kind::kVlanDeleted), 0);
      },
      [](VlanWorld& world) { (void)world.manager.Create(VlanWorld::Vlan(), false); },
      [&](VlanWorld& world) { kernel = world.kernel.Text(); });
}

TEST_P(StorageVlanCrashTest, ReconcileIsFinished) {
  bool was_missing = false;
  ForEachCall(
      WithDefinition(), GetParam(),
      [&](VlanWorld& world, int told) {
        EXPECT_TRUE(Restart(world).ok());
        StorageVlanManager next(world.kernel, world.kernel, world.store, world.clock, [] {});
        ASSERT_TRUE(next.Reconcile("", false).ok());
        EXPECT_EQ(world.Records().at(0).phase, Phase::kDefined);
        EXPECT_TRUE(world.InOrder());
        EXPECT_EQ(world.Told(Notice::Kind::kVlanCreated), told + (was_missing ? 1 : 0));
      },
      [](VlanWorld& world) { (void)world.manager.Reconcile("", false); },
      [&](VlanWorld& world) { was_missing = world.kernel.Find("vmbr0.100") == nullptr; });
}

TEST_P(StorageVlanCrashTest, DeleteIsFinishedOnceItHasBegun) {
  ForEachCall(
      {{"made", CreateVlan}}, GetParam(),
      [&](VlanWorld& world, int) {
        EXPECT_TRUE(Restart(world).ok());
        const bool gone = world.Records().empty();
        EXPECT_EQ(world.kernel.Find("vmbr0.100") == nullptr, gone);
        EXPECT_EQ(world.Told(Notice::Kind::kVlanDeleted), gone ? 1 : 0);
        EXPECT_TRUE(world.InOrder());
      },
      [](VlanWorld& world) { (void)world.manager.Delete("nas", false); }, [](VlanWorld&) {});
}

TEST(StorageVlanRestoreTest, RecreatedLinkWhoseBaseIsNotThereYetWaitsForIt) {
  VlanWorld world;
  CreateVlan(world);
  world.kernel.Delete("vmbr0.100");
  world.faults.Arm(Faults::Kind::kDieAfter, 0);
  (void)world.manager.Reconcile("", false);
  world.faults.Disarm();
  world.kernel.Delete("vmbr0");

  EXPECT_EQ(ErrorReason(Restart(world)), "BASE_MISSING");

  EXPECT_EQ(world.Records().at(0).phase, Phase::kDefined);
  EXPECT_EQ(world.Told(Notice::Kind::kVlanCreated), 1);
}

}  // namespace
}  // namespace pvebus::storage
