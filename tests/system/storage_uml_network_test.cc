// The kernel side of storage-service against a kernel with VLANs: run by tests/system/uml/run.
#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/netlink/netlink_watch.h"
#include "storage-service/host/network/netlink_network.h"
#include "storage-service/host/network/nft_isolation.h"
#include "tests/support/wait.h"
#include "tests/system/command.h"
#include "tests/system/network_namespace.h"
#include "tests/system/system_matchers.h"

namespace pvebus::storage {
namespace {

using testing::Address;
using ::testing::ElementsAre;
using testing::Ip;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::IsRefusal;
using testing::NetworkNamespace;
using testing::Prefix;

class StorageUmlNetworkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto entered = NetworkNamespace::Enter();
    ASSERT_THAT(entered.status(), IsOk());
    Ip("link set lo up");
    Ip("link add eno1 type dummy");
    Ip("link add eno2 type dummy");
    Ip("link set eno1 up");
  }

  std::optional<Link> Find(const std::string& name) {
    const auto network = network_.Read();
    EXPECT_THAT(network.status(), IsOk());
    const Link* link = network.ok() ? network->Find(name) : nullptr;
    return link == nullptr ? std::nullopt : std::optional(*link);
  }
  Link LinkNamed(const std::string& name) {
    auto link = Find(name);
    EXPECT_TRUE(link.has_value()) << name;
    return link.value_or(Link{});
  }

  NetlinkNetwork network_;
};

TEST_F(StorageUmlNetworkTest, AVlanIsMadeOnItsBaseAndTakesPackets) {
  ASSERT_THAT(network_.CreateVlan("eno1", "eno1.100", 100), IsOk());
  ASSERT_THAT(network_.SetMtu("eno1.100", 1400), IsOk());
  ASSERT_THAT(network_.SetUp("eno1.100", true), IsOk());
  ASSERT_THAT(network_.AddAddress("eno1.100", Prefix("10.1.0.5/24")), IsOk());
  ASSERT_THAT(network_.AddRoute("eno1.100", Prefix("10.2.0.0/16"), Address("10.1.0.1")), IsOk());

  const Link vlan = LinkNamed("eno1.100");
  EXPECT_EQ(vlan.kind, "vlan");
  EXPECT_EQ(vlan.tag, 100);
  EXPECT_TRUE(vlan.dot1q);
  EXPECT_EQ(vlan.lower_index, LinkNamed("eno1").index);
  EXPECT_EQ(vlan.mtu, 1400u);
  EXPECT_TRUE(vlan.up);
  EXPECT_TRUE(vlan.running);
  EXPECT_THAT(vlan.addresses, ElementsAre(Prefix("10.1.0.5/24")));
  for (const char* destination : {"10.1.0.9", "10.2.0.9"}) {
    const auto way = network_.Lookup(Address(destination));
    ASSERT_TRUE(way.ok() && way->has_value()) << destination;
    EXPECT_EQ((*way)->link_index, vlan.index) << destination;
  }

  ASSERT_THAT(network_.DeleteLink("eno1.100"), IsOk());

  EXPECT_EQ(Find("eno1.100"), std::nullopt);
}

TEST_F(StorageUmlNetworkTest, AVlanThatIsThereIsNotMadeTwice) {
  ASSERT_THAT(network_.CreateVlan("eno1", "eno1.100", 100), IsOk());

  const absl::Status status = network_.CreateVlan("eno1", "eno1.100", 100);

  EXPECT_THAT(status, IsRefusal("LINK_EXISTS", "eno1.100"));
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(network_.CreateVlan("eno2", "eno1.100", 200), IsRefusal("LINK_EXISTS", "eno1.100")) << "whatever it is";
  EXPECT_THAT(network_.CreateVlan("eno2", "eno1", 200), IsRefusal("LINK_EXISTS", "eno1"));
}

TEST_F(StorageUmlNetworkTest, ATagThatTheBaseHasUnderAnotherNameIsNotALinkThatExists) {
  Ip("link add link eno1 name storage type vlan id 100");

  EXPECT_THAT(network_.CreateVlan("eno1", "eno1.100", 100), IsRefusal("KERNEL_REFUSED", "eno1 has tag 100 in link storage"));
  EXPECT_THAT(network_.CreateVlan("eno2", "eno2.100", 100), IsOk());
}

TEST_F(StorageUmlNetworkTest, WhatIsWrongWithAVlanCanBeRead) {
  Ip("link add link eno2 name eno1.100 type vlan id 100");
  Ip("link add link eno1 name eno1.200 type vlan id 201");
  Ip("link add link eno1 name eno1.300 type vlan protocol 802.1ad id 300");

  EXPECT_EQ(LinkNamed("eno1.100").lower_index, LinkNamed("eno2").index);
  EXPECT_EQ(LinkNamed("eno1.200").tag, 201);
  EXPECT_EQ(LinkNamed("eno1.300").tag, 300);
  EXPECT_FALSE(LinkNamed("eno1.300").dot1q);
}

TEST_F(StorageUmlNetworkTest, TheParentOfAVlanInAnotherNamespaceIsNone) {
  auto other = NetworkNamespace::Make();
  ASSERT_THAT(other.status(), IsOk());
  Ip("link add link eno1 name eno1.100 type vlan id 100");
  Ip("link set dev eno1.100 netns " + other->path());

  other->Do([&] {
    EXPECT_EQ(LinkNamed("eno1.100").lower_index, 0);
    EXPECT_EQ(LinkNamed("eno1.100").tag, 100);
  });
}

TEST_F(StorageUmlNetworkTest, AnMtuAboveTheParentsIsRefused) {
  ASSERT_THAT(network_.CreateVlan("eno1", "eno1.100", 100), IsOk());

  EXPECT_THAT(network_.SetMtu("eno1.100", 1501), IsRefusal("KERNEL_REFUSED", "set the MTU of eno1.100 to 1501"));

  EXPECT_EQ(LinkNamed("eno1.100").mtu, 1500u);
  ASSERT_THAT(network_.SetMtu("eno1", 9000), IsOk());
  EXPECT_THAT(network_.SetMtu("eno1.100", 9000), IsOk());
  EXPECT_THAT(network_.SetMtu("eno1", 1500), IsOk());
  EXPECT_EQ(LinkNamed("eno1.100").mtu, 1500u) << "the parent's shrinks it";
}

TEST_F(StorageUmlNetworkTest, NamesHave15BytesAtMost) {
  Ip("link add twelve-bytes type dummy");

  EXPECT_THAT(network_.CreateVlan("twelve-bytes", "twelve-bytes.10", 10), IsOk());
  EXPECT_THAT(network_.CreateVlan("twelve-bytes", "twelve-bytes.100", 100), IsRefusal("KERNEL_REFUSED", "twelve-bytes.100"));

  EXPECT_EQ(LinkNamed("twelve-bytes.10").tag, 10);
  EXPECT_THAT(network_.DeleteLink("twelve-bytes.10"), IsOk());
}

TEST_F(StorageUmlNetworkTest, ATagThatIsNoneIsRefused) {
  EXPECT_THAT(network_.CreateVlan("eno1", "eno1.4095", 4095), IsRefusal("KERNEL_REFUSED", "4095"));
  EXPECT_EQ(Find("eno1.4095"), std::nullopt);
}

TEST_F(StorageUmlNetworkTest, ABaseThatTakesNoVlansIsNotAKernelWithoutThem) {
  EXPECT_THAT(network_.CreateVlan("lo", "lo.100", 100), IsRefusal("KERNEL_REFUSED", "VLANs not supported on device"));
}

TEST_F(StorageUmlNetworkTest, AVlanCannotBeUpOnABaseThatIsDown) {
  ASSERT_THAT(network_.CreateVlan("eno2", "eno2.100", 100), IsOk());

  EXPECT_THAT(network_.SetUp("eno2.100", true), IsRefusal("KERNEL_REFUSED", "set eno2.100 up"));
}

TEST_F(StorageUmlNetworkTest, TheBridgesOwnPortJoinsAVlanAndLeavesIt) {
  Ip("link add vmbr0 type bridge vlan_filtering 1");
  Ip("link set eno1 master vmbr0");
  EXPECT_TRUE(LinkNamed("vmbr0").vlan_aware);
  EXPECT_THAT(LinkNamed("vmbr0").bridge_vids, IsEmpty()) << "VLAN 1 comes without a tag";
  for (int again = 0; again < 2; ++again) {
    ASSERT_THAT(network_.AddBridgeVid("vmbr0", 200), IsOk());
    ASSERT_THAT(network_.AddBridgeVid("vmbr0", 100), IsOk());
  }

  EXPECT_THAT(LinkNamed("vmbr0").bridge_vids, ElementsAre(100, 200));
  EXPECT_THAT(LinkNamed("eno1").bridge_vids, IsEmpty());
  EXPECT_THAT(testing::Command("/sbin/bridge vlan show dev eno1"), ::testing::Not(::testing::HasSubstr("100")))
      << "the bridge's own port and no other";

  for (int again = 0; again < 2; ++again) ASSERT_THAT(network_.RemoveBridgeVid("vmbr0", 100), IsOk());

  EXPECT_THAT(LinkNamed("vmbr0").bridge_vids, ElementsAre(200));
}

TEST_F(StorageUmlNetworkTest, TheBridgesUntaggedVlanIsLeftAlone) {
  Ip("link add vmbr0 type bridge vlan_filtering 1");
  const std::string before = testing::Command("/sbin/bridge vlan show dev vmbr0");

  EXPECT_THAT(network_.AddBridgeVid("vmbr0", 1), IsRefusal("KERNEL_REFUSED", "without a tag"));
  EXPECT_THAT(network_.RemoveBridgeVid("vmbr0", 1), IsOk());

  EXPECT_EQ(testing::Command("/sbin/bridge vlan show dev vmbr0"), before);
}

TEST_F(StorageUmlNetworkTest, ABridgeThatIsNotVlanAwareHasNoVids) {
  Ip("link add vmbr0 type bridge");
  ASSERT_THAT(network_.AddBridgeVid("vmbr0", 100), IsOk());

  EXPECT_FALSE(LinkNamed("vmbr0").vlan_aware);
  EXPECT_THAT(LinkNamed("vmbr0").bridge_vids, IsEmpty());
}

TEST_F(StorageUmlNetworkTest, BondsAndBridgesCarryVlansToo) {
  Ip("link add bond0 type bond mode active-backup miimon 100");
  Ip("link set eno1 down");
  Ip("link set eno1 master bond0");
  Ip("link set bond0 up");
  Ip("link add vmbr0 type bridge");
  Ip("link set vmbr0 up");

  ASSERT_THAT(network_.CreateVlan("bond0", "bond0.4094", 4094), IsOk());
  ASSERT_THAT(network_.CreateVlan("vmbr0", "vmbr0.1", 1), IsOk());
  ASSERT_THAT(network_.CreateVlan("vmbr0.1", "vmbr0.1.2", 2), IsOk());

  EXPECT_EQ(LinkNamed("bond0").kind, "bond");
  EXPECT_EQ(LinkNamed("eno1").master_index, LinkNamed("bond0").index);
  EXPECT_EQ(LinkNamed("bond0.4094").lower_index, LinkNamed("bond0").index);
  EXPECT_EQ(LinkNamed("bond0.4094").tag, 4094);
  EXPECT_EQ(LinkNamed("vmbr0.1").lower_index, LinkNamed("vmbr0").index);
  EXPECT_EQ(LinkNamed("vmbr0.1.2").lower_index, LinkNamed("vmbr0.1").index);
}

TEST_F(StorageUmlNetworkTest, AVlanGoesWithItsParentAndTheWatchTells) {
  ASSERT_THAT(network_.CreateVlan("eno1", "eno1.100", 100), IsOk());
  std::atomic<bool> gone = false;
  auto watch = NetlinkWatch::Create([&] {
    const auto network = network_.Read();
    gone = network.ok() && network->Find("eno1.100") == nullptr;
  });
  ASSERT_THAT(watch.status(), IsOk());

  Ip("link delete eno1");

  testing::WaitFor("the watch to tell", [&] { return gone.load(); });
  Ip("link add eno1 type dummy");
  EXPECT_THAT(network_.CreateVlan("eno1", "eno1.100", 100), IsOk()) << "on the new one";
}

TEST_F(StorageUmlNetworkTest, AVidThatSomebodyTakesFromTheBridgeIsTold) {
  Ip("link add vmbr0 type bridge vlan_filtering 1");
  ASSERT_THAT(network_.AddBridgeVid("vmbr0", 100), IsOk());
  std::atomic<bool> gone = false;
  auto watch = NetlinkWatch::Create([&] { gone = LinkNamed("vmbr0").bridge_vids.empty(); });
  ASSERT_THAT(watch.status(), IsOk());

  testing::Command("/sbin/bridge vlan del dev vmbr0 vid 100 self");

  testing::WaitFor("the watch to tell", [&] { return gone.load(); });
}

TEST_F(StorageUmlNetworkTest, IsolationSaysThatThisKernelCannot) {
  NftIsolation isolation;
  ASSERT_THAT(network_.CreateVlan("eno1", "eno1.100", 100), IsOk());

  EXPECT_THAT(isolation.Isolate("eno1.100", {Prefix("10.1.0.0/24")}), IsRefusal("KERNEL_SUPPORT_MISSING", "nftables"));

  const auto read = isolation.Read("eno1.100");
  ASSERT_THAT(read.status(), IsOk());
  EXPECT_EQ(*read, std::nullopt);
  EXPECT_THAT(isolation.Release("eno1.100"), IsOk());
}

}  // namespace
}  // namespace pvebus::storage
