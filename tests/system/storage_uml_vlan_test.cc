// VLANs for real: storage-service against a kernel that has them. Runs inside User Mode Linux, as root of it.
#include <sys/wait.h>

#include "tests/system/storage_node.h"

namespace pvebus::testing {
namespace {

using absl::StatusCode;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr seconds kPatience{60};
constexpr char kCreatedNas[] = R"(event_type = storage_vlan_created AND ordering_key = "storage/nas")";
constexpr char kDeletedNas[] = R"(event_type = custom AND ordering_key = "storage/nas")";

bool LinkExists(const std::string& name) { return ShSucceeds("ip link show dev " + name); }

class StorageVlanTest : public ::testing::Test {
 protected:
  // Every test has two network cards and nothing else.
  void SetUp() override {
    Sh("ip link add eno1 type dummy && ip link set eno1 up mtu 9000 && ip address add 10.0.0.5/24 dev eno1");
    Sh("ip link add eno2 type dummy && ip link set eno2 up && ip address add 10.2.0.5/24 dev eno2");
  }
  void TearDown() override {
    node_.reset();
    for (const char* link : {"eno1", "eno2", "vmbr0", "vmbr1", "bond0", "longname0.100", "longname10"}) {
      ShSucceeds(std::string("ip link delete ") + link);
    }
  }

  StorageNode& Start(std::string_view config = "", std::vector<std::string> flags = {"--repair-delay", "600"}) {
    flags.insert(flags.end(), {"--probe-limit", "1", "--refresh-interval", "0"});
    node_ = std::make_unique<StorageNode>(config, flags);
    return *node_;
  }
  StorageNode& node() { return *node_; }
  void ExpectCreatedEvents(int count) {
    WaitFor(
        "StorageVlanCreated to be in the journal", [&] { return node().CountEvents(kCreatedNas) >= count; }, kPatience);
    EXPECT_EQ(node().CountEvents(kCreatedNas), count);
  }

  std::unique_ptr<StorageNode> node_;
};

TEST_F(StorageVlanTest, IsMadeWithAllThatWasAskedForAndTheBusHearsOfItOnce) {
  Start();
  storage::v1::StorageVlan vlan = VlanOn("nas", "eno1", 100, "10.1.0.5/24");
  vlan.set_mtu(8000);
  vlan.set_gateway("10.1.0.1");
  vlan.add_routed_subnets("10.9.0.0/16");

  const auto created = node().CreateVlan(vlan);
  const auto again = node().CreateVlan(vlan);

  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(created->state(), bus::v1::HOOK_STATE_CHANGED);
  EXPECT_TRUE(created->link_created());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->state(), bus::v1::HOOK_STATE_UNCHANGED) << again->DebugString();
  EXPECT_THAT(ShOutput("ip -d link show eno1.100"),
              AllOf(HasSubstr("vlan protocol 802.1Q id 100"), HasSubstr("mtu 8000"), HasSubstr("UP")));
  EXPECT_THAT(ShOutput("ip address show eno1.100"), HasSubstr("10.1.0.5/24"));
  EXPECT_THAT(ShOutput("ip route"), AllOf(HasSubstr("10.9.0.0/16 via 10.1.0.1 dev eno1.100"), Not(HasSubstr("default"))));
  EXPECT_TRUE(node().VlanOf("nas").in_order()) << node().VlanOf("nas").DebugString();
  ExpectCreatedEvents(1);
}

TEST_F(StorageVlanTest, IsTakenAwayWithAllThatWasMade) {
  Start();
  ASSERT_TRUE(node().CreateVlan(VlanOn("nas", "eno1", 100, "10.1.0.5/24")).ok());

  const auto deleted = node().DeleteVlan("nas");

  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_FALSE(LinkExists("eno1.100"));
  EXPECT_EQ(node().VlanOf("nas").link(), "");
  WaitFor(
      "storage_vlan_deleted to be in the journal", [&] { return node().CountEvents(kDeletedNas) == 1; }, kPatience);
  EXPECT_THAT(node().DeleteVlan("nas").status(), IsError(StatusCode::kNotFound, "VLAN_NOT_FOUND"));
}

TEST_F(StorageVlanTest, EqualLinkIsAdoptedAndStaysWhenTheDefinitionGoes) {
  Sh("ip link add link eno1 name eno1.100 type vlan id 100");
  Start();

  const auto adopted = node().CreateVlan(VlanOn("nas", "eno1", 100, "10.1.0.5/24"));

  ASSERT_TRUE(adopted.ok()) << adopted.status();
  EXPECT_FALSE(adopted->link_created());
  EXPECT_TRUE(node().VlanOf("nas").adopted());
  EXPECT_THAT(ShOutput("ip address show eno1.100"), HasSubstr("10.1.0.5/24"));
  ASSERT_TRUE(node().DeleteVlan("nas").ok());
  EXPECT_THAT(ShOutput("ip address show eno1.100"), AllOf(HasSubstr("eno1.100@eno1"), Not(HasSubstr("10.1.0.5/24"))));
  EXPECT_EQ(node().CountEvents(kCreatedNas), 0);
}

TEST_F(StorageVlanTest, LinkWithAnotherTagOrParentIsAConflictThatNamesBothAndIsLeftAlone) {
  Sh("ip link add link eno2 name eno1.100 type vlan id 100");
  Sh("ip link add link eno1 name eno1.200 type vlan id 201");
  Sh("ip link add eno1.300 type dummy");
  Start();

  const absl::Status parent = node().CreateVlan(VlanOn("nas", "eno1", 100, "10.1.0.5/24")).status();
  const absl::Status tag = node().CreateVlan(VlanOn("nas", "eno1", 200, "10.1.0.5/24")).status();
  const absl::Status kind = node().CreateVlan(VlanOn("nas", "eno1", 300, "10.1.0.5/24")).status();

  EXPECT_THAT(parent, IsError(StatusCode::kFailedPrecondition, "VLAN_CONFLICT"));
  EXPECT_THAT(std::string(parent.message()), AllOf(HasSubstr("eno1"), HasSubstr("eno2")));
  EXPECT_THAT(tag, IsError(StatusCode::kFailedPrecondition, "VLAN_CONFLICT"));
  EXPECT_THAT(std::string(tag.message()), AllOf(HasSubstr("200"), HasSubstr("201")));
  EXPECT_THAT(kind, IsError(StatusCode::kFailedPrecondition, "VLAN_CONFLICT"));
  EXPECT_EQ(node().VlanOf("nas").link(), "");
  EXPECT_THAT(ShOutput("ip address"), Not(HasSubstr("10.1.0.5")));
  Sh("ip link delete eno1.100 && ip link delete eno1.300");
}

TEST_F(StorageVlanTest, MtuAboveTheBasesIsRefusedAndNothingIsLeft) {
  Start();
  storage::v1::StorageVlan vlan = VlanOn("nas", "eno2", 100, "10.1.0.5/24");
  vlan.set_mtu(9000);

  const absl::Status refused = node().CreateVlan(vlan).status();

  EXPECT_THAT(refused, IsError(StatusCode::kFailedPrecondition, "MTU_EXCEEDS_BASE"));
  EXPECT_THAT(std::string(refused.message()), AllOf(HasSubstr("9000"), HasSubstr("1500"), HasSubstr("eno2")));
  EXPECT_FALSE(LinkExists("eno2.100"));
}

TEST_F(StorageVlanTest, NamesOfFifteenBytesWorkAndLongerOnesAreRefused) {
  Sh("ip link add longname10 type dummy && ip link set longname10 up");
  Start();

  EXPECT_TRUE(node().CreateVlan(VlanOn("nas", "longname10", 4094, "10.1.0.5/24")).ok());
  EXPECT_TRUE(LinkExists("longname10.4094"));
  EXPECT_THAT(node().CreateVlan(VlanOn("san", "longname100", 4094, "10.1.1.5/24")).status(),
              IsError(StatusCode::kInvalidArgument, "LINK_NAME_TOO_LONG"));
}

TEST_F(StorageVlanTest, MissingBaseIsNamed) {
  Start();

  EXPECT_THAT(node().CreateVlan(VlanOn("nas", "eno9", 100, "10.1.0.5/24")).status(),
              IsError(StatusCode::kNotFound, "BASE_MISSING"));
  EXPECT_EQ(node().VlanOf("nas").link(), "");
}

TEST_F(StorageVlanTest, VlanAwareBridgeCarriesTheTagItselfAndNoLongerAfterwards) {
  Sh("ip link add vmbr0 type bridge vlan_filtering 1 vlan_default_pvid 1 && ip link set eno2 master vmbr0 && ip link set vmbr0 "
     "up");
  Start();

  ASSERT_TRUE(node().CreateVlan(VlanOn("nas", "vmbr0", 100, "10.1.0.5/24")).ok());

  EXPECT_THAT(ShOutput("bridge vlan show dev vmbr0"), HasSubstr("100"));
  EXPECT_TRUE(LinkExists("vmbr0.100"));
  ASSERT_TRUE(node().DeleteVlan("nas").ok());
  EXPECT_THAT(ShOutput("bridge vlan show dev vmbr0"), Not(HasSubstr("100")));
}

TEST_F(StorageVlanTest, RidesOnABridgeAndOnABond) {
  Sh("ip link add vmbr1 type bridge && ip link set vmbr1 up");
  Sh("ip link add bond0 type bond mode active-backup && ip link set eno2 down && ip link set eno2 master bond0 && ip link set "
     "bond0 up");
  Start();

  EXPECT_TRUE(node().CreateVlan(VlanOn("nas", "vmbr1", 100, "10.1.0.5/24")).ok());
  EXPECT_TRUE(node().CreateVlan(VlanOn("san", "bond0", 200, "10.1.1.5/24")).ok());
  EXPECT_TRUE(node().VlanOf("san").in_order()) << node().VlanOf("san").DebugString();
}

TEST_F(StorageVlanTest, WhatFailsHalfWayIsUndone) {
  // The kernel of User Mode Linux cannot filter IP: the last step fails after all others.
  Start();
  storage::v1::StorageVlan vlan = VlanOn("nas", "eno1", 100, "10.1.0.5/24");
  vlan.set_isolated(true);

  const absl::Status refused = node().CreateVlan(vlan).status();

  EXPECT_THAT(refused, IsError(StatusCode::kFailedPrecondition, "KERNEL_SUPPORT_MISSING"));
  EXPECT_FALSE(LinkExists("eno1.100"));
  EXPECT_EQ(node().VlanOf("nas").link(), "");
  EXPECT_EQ(node().CountEvents(kCreatedNas), 0);
}

TEST_F(StorageVlanTest, DeletedBehindOurBackItComesBackUntilItIsContested) {
  Start("", {"--repair-delay", "0"});
  ASSERT_TRUE(node().CreateVlan(VlanOn("nas", "eno1", 100, "10.1.0.5/24")).ok());
  ExpectCreatedEvents(1);

  for (int fights = 0; !node().VlanOf("nas").contested(); ++fights) {
    ASSERT_LT(fights, 20) << "it was never given up";
    Sh("ip link delete eno1.100");
    WaitFor(
        "the VLAN to be back, or given up", [&] { return node().VlanOf("nas").contested() || node().VlanOf("nas").in_order(); },
        kPatience);
  }
  EXPECT_FALSE(LinkExists("eno1.100"));
  const auto published = node().bus().Publish(NetworkAppliedTo({"eno1"}));
  ASSERT_TRUE(published.ok()) << published.status();

  EXPECT_TRUE(LinkExists("eno1.100"));
  EXPECT_FALSE(node().VlanOf("nas").contested());
  EXPECT_GT(node().CountEvents(kCreatedNas), 2);
}

TEST_F(StorageVlanTest, ParentThatIsMadeAnewGetsItsVlanBack) {
  Start("", {"--repair-delay", "0"});
  ASSERT_TRUE(node().CreateVlan(VlanOn("nas", "eno1", 100, "10.1.0.5/24")).ok());

  Sh("ip link delete eno1");
  WaitFor(
      "the missing base to be found", [&] { return !node().VlanOf("nas").in_order(); }, kPatience);
  EXPECT_THAT(node().VlanOf("nas").findings(), HasSubstr("eno1"));
  Sh("ip link add eno1 type dummy && ip link set eno1 up");

  WaitFor(
      "the VLAN to be back", [&] { return node().VlanOf("nas").in_order(); }, kPatience);
  EXPECT_THAT(ShOutput("ip address show eno1.100"), HasSubstr("10.1.0.5/24"));
}

// Must show: one NetworkApplied with real changes, three storages of which one rides on a changed interface.
TEST_F(StorageVlanTest, OneNetworkAppliedListsTheVlansAndWhichStoragesWereRefreshed) {
  Start(R"(nfs: nas
	server 10.1.0.9
	export /nas

nfs: card1
	server 10.0.0.9
	export /card1

nfs: card2
	server 10.2.0.9
	export /card2

dir: local
	path /var/lib/vz
)");
  ASSERT_TRUE(node().CreateVlan(VlanOn("nas", "eno1", 100, "10.1.0.5/24")).ok());
  ASSERT_TRUE(node().CreateVlan(VlanOn("backup", "eno2", 200, "10.3.0.5/24")).ok());
  ASSERT_TRUE(Call(&StorageNode::Stub::RefreshStorageStatus, node().storage(), {}, kPatience).ok());
  Sh("ip link set eno2 down && ip link delete eno2.200 && ip link set eno2 up mtu 1400 && ip address replace 10.2.0.5/24 dev "
     "eno2");

  const auto published = node().bus().Publish(NetworkAppliedTo({"eno2"}));

  ASSERT_TRUE(published.ok()) << published.status();
  const bus::v1::PublishResult& result = published->result();
  EXPECT_EQ(RowOf(result, "storage-hooks").state(), bus::v1::DELIVERY_STATE_SUCCEEDED) << result.DebugString();
  const auto back = RowAbout(result, "storage-vlan-reconciler", "storage/backup");
  EXPECT_EQ(back.state(), bus::v1::HOOK_STATE_CHANGED);
  EXPECT_THAT(back.before(), HasSubstr("missing"));
  EXPECT_THAT(back.after(), HasSubstr("10.3.0.5/24"));
  const auto same = RowAbout(result, "storage-vlan-reconciler", "storage/nas");
  EXPECT_EQ(same.state(), bus::v1::HOOK_STATE_UNCHANGED) << same.DebugString();
  EXPECT_EQ(same.before(), same.after());
  const auto touched = RowAbout(result, "storage-status-refresher", "storage/card2");
  EXPECT_TRUE(touched.state() == bus::v1::HOOK_STATE_CHANGED || touched.state() == bus::v1::HOOK_STATE_UNCHANGED)
      << touched.DebugString();
  for (const char* other : {"storage/nas", "storage/card1"}) {
    const auto skipped = RowAbout(result, "storage-status-refresher", other);
    EXPECT_EQ(skipped.state(), bus::v1::HOOK_STATE_SKIPPED) << other << result.DebugString();
    EXPECT_THAT(skipped.message(), HasSubstr("eno1"));
  }
  std::string trace;
  EXPECT_EQ(node().Pvebus({"trace", result.event_id()}, &trace), 0);
  EXPECT_THAT(trace, HasSubstr("VLAN of storage backup created"));
  std::string shown;
  node().Pvebus({"result", result.event_id()}, &shown);
  std::cout << shown << trace;
}

// Must show: what happened while the service was away is put right when it is back, without another publish.
TEST_F(StorageVlanTest, WhatAKilledServiceMissedIsPutRightWhenItIsBack) {
  Start();
  ASSERT_TRUE(node().CreateVlan(VlanOn("nas", "eno1", 100, "10.1.0.5/24")).ok());
  ExpectCreatedEvents(1);
  node().Kill();

  const auto published = node().bus().Publish(NetworkAppliedTo({"eno1"}));
  Sh("ip link delete eno1.100");
  node().Start();

  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_EQ(RowOf(published->result(), "storage-hooks").state(), bus::v1::DELIVERY_STATE_OFFLINE);
  const auto result = node().bus().Result(published->result().event_id(), bus::v1::WAIT_POLICY_SETTLED);
  EXPECT_EQ(RowOf(result, "storage-hooks").state(), bus::v1::DELIVERY_STATE_SUCCEEDED) << result.DebugString();
  EXPECT_TRUE(LinkExists("eno1.100"));
  EXPECT_TRUE(node().VlanOf("nas").in_order());
  ExpectCreatedEvents(2);
}

TEST_F(StorageVlanTest, OperatorSeesAndDoesAllOfItFromTheCommandLine) {
  Start();
  std::string out;

  EXPECT_EQ(
      node().Pvebus({"storage", "vlan", "create", "nas", "--base", "eno1", "--tag", "100", "--address", "10.1.0.5/24"}, &out), 0)
      << out;
  Sh("ip address delete 10.1.0.5/24 dev eno1.100");
  EXPECT_EQ(node().Pvebus({"storage", "vlan", "list"}, &out), 0);
  EXPECT_THAT(out, AllOf(HasSubstr("nas"), HasSubstr("10.1.0.5/24")));
  EXPECT_EQ(node().Pvebus({"storage", "reconcile"}, &out), 0) << out;
  EXPECT_THAT(ShOutput("ip address show eno1.100"), HasSubstr("10.1.0.5/24"));
  EXPECT_EQ(node().Pvebus({"storage", "vlan", "create", "san", "--base", "eno9", "--tag", "1", "--address", "10.1.0.5/24"}, &out),
            3)
      << out;
  EXPECT_EQ(node().Pvebus({"storage", "vlan", "delete", "nas"}, &out), 0) << out;
  EXPECT_FALSE(LinkExists("eno1.100"));
}

}  // namespace
}  // namespace pvebus::testing
