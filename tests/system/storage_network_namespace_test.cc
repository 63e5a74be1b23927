// The kernel side of storage-service against this machine's kernel, in a network namespace of each test's own. The machine's
// kernel may lack VLANs: those are proven in storage_uml_network_test.
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
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
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using testing::Ip;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::IsRefusal;
using testing::NetworkNamespace;
using testing::Nft;
using ::testing::Not;
using ::testing::Optional;
using testing::Prefix;

class StorageNetworkNamespaceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto entered = NetworkNamespace::Enter();
    if (!entered.ok()) GTEST_SKIP() << "NOT PROVEN: the kernel's network. No network namespace: " << entered.status();
    Ip("link set lo up");
  }

  // A cable: eno1 here, far at the other end, both up.
  void PlugCable() {
    Ip("link add eno1 type veth peer name far");
    Ip("link set eno1 up");
    Ip("link set far up");
  }
  Link LinkNamed(const std::string& name) {
    const auto network = network_.Read();
    const Link* link = network.ok() ? network->Find(name) : nullptr;
    EXPECT_TRUE(link != nullptr) << name << " " << network.status();
    return link == nullptr ? Link{} : *link;
  }
  std::vector<LinkRoute> Routes() {
    const auto network = network_.Read();
    EXPECT_TRUE(network.ok()) << network.status();
    return network.ok() ? network->routes : std::vector<LinkRoute>{};
  }
  std::optional<FoundRoute> Lookup(const char* destination) {
    const auto found = network_.Lookup(Address(destination));
    EXPECT_TRUE(found.ok()) << found.status();
    return found.ok() ? *found : std::nullopt;
  }

  NetlinkNetwork network_;
};

auto IsRoute(int link, const char* subnet, const char* gateway) {
  return AllOf(Field(&LinkRoute::link_index, link), Field(&LinkRoute::subnet, Prefix(subnet)),
               Field(&LinkRoute::gateway, Optional(Address(gateway))));
}

TEST_F(StorageNetworkNamespaceTest, LinksReadAsTheyAre) {
  PlugCable();
  Ip("link add vmbr0 type bridge");
  Ip("link set eno1 master vmbr0");
  Ip("link set far mtu 9000");
  Ip("link set far down");
  Ip("link set vmbr0 up");
  Ip("address add 10.1.0.5/24 dev vmbr0");
  Ip("address add 10.1.0.6/24 dev vmbr0");
  Ip("address add fd00::5/64 dev vmbr0 nodad");

  const Link bridge = LinkNamed("vmbr0");
  const Link port = LinkNamed("eno1");
  const Link far = LinkNamed("far");

  EXPECT_EQ(bridge.kind, "bridge");
  EXPECT_TRUE(bridge.up);
  EXPECT_EQ(bridge.mtu, 1500u);
  EXPECT_FALSE(bridge.vlan_aware);
  EXPECT_THAT(bridge.addresses, ElementsAre(Prefix("10.1.0.5/24"), Prefix("10.1.0.6/24"), Prefix("fd00::5/64")))
      << "as they were given, without fe80::";
  EXPECT_EQ(port.kind, "veth");
  EXPECT_EQ(port.master_index, bridge.index);
  EXPECT_EQ(port.lower_index, 0) << "the other end is no parent";
  EXPECT_TRUE(port.up);
  EXPECT_FALSE(port.running) << "the other end is down";
  EXPECT_EQ(far.mtu, 9000u);
  EXPECT_FALSE(far.up);
  EXPECT_EQ(LinkNamed("lo").kind, "");
  EXPECT_THAT(LinkNamed("lo").addresses, Contains(Prefix("127.0.0.1/8")));
}

TEST_F(StorageNetworkNamespaceTest, ManyLinksAreReadWhole) {
  // One answer of the kernel holds some dozens.
  for (int i = 0; i < 100; ++i) Ip(absl::StrFormat("link add many%d type veth peer name peer%d", i, i));

  const auto network = network_.Read();

  ASSERT_THAT(network.status(), IsOk());
  EXPECT_GE(network->links.size(), 201u);
  EXPECT_NE(network->Find("peer99"), nullptr);
}

TEST_F(StorageNetworkNamespaceTest, OnlyUnicastRoutesOfTheMainTableAreRead) {
  PlugCable();
  Ip("address add 10.1.0.5/24 dev eno1");
  Ip("route add 10.2.0.0/16 via 10.1.0.1");
  Ip("route add 10.3.0.0/16 via 10.1.0.1 table 100");
  Ip("route add unreachable 10.4.0.0/16");
  Ip("route add 10.5.0.0/16 nexthop via 10.1.0.2 dev eno1 nexthop via 10.1.0.3 dev eno1");
  Ip("route add 10.6.0.0/16 via inet6 fe80::9 dev eno1");
  const int eno1 = LinkNamed("eno1").index;

  const std::vector<LinkRoute> routes = Routes();

  EXPECT_THAT(routes, Contains(IsRoute(eno1, "10.2.0.0/16", "10.1.0.1")));
  EXPECT_THAT(routes, Contains(IsRoute(eno1, "10.5.0.0/16", "10.1.0.2")));
  EXPECT_THAT(routes, Contains(IsRoute(eno1, "10.5.0.0/16", "10.1.0.3")));
  EXPECT_THAT(routes, Contains(IsRoute(eno1, "10.6.0.0/16", "fe80::9")));
  EXPECT_THAT(routes,
              Contains(AllOf(Field(&LinkRoute::subnet, Prefix("10.1.0.0/24")), Field(&LinkRoute::gateway, std::nullopt))));
  EXPECT_THAT(routes, Not(Contains(Field(&LinkRoute::subnet, Prefix("10.3.0.0/16")))));
  EXPECT_THAT(routes, Not(Contains(Field(&LinkRoute::subnet, Prefix("10.4.0.0/16")))));
}

TEST_F(StorageNetworkNamespaceTest, LookupSaysWhereAPacketWouldGo) {
  PlugCable();
  Ip("address add 10.1.0.5/24 dev eno1");
  Ip("address add fd00::5/64 dev eno1 nodad");
  Ip("route add 10.2.0.0/16 via 10.1.0.1");
  Ip("-6 route add fd02::/64 via fd00::1");
  const int eno1 = LinkNamed("eno1").index;

  // The kernel makes an IPv6 address the node's own a moment after it took it.
  testing::WaitFor("fd00::5 to be ours", [&] { return Lookup("fd00::5")->local; });

  const auto connected = Lookup("10.1.0.9");
  const auto routed = Lookup("10.2.0.9");
  const auto local = Lookup("10.1.0.5");
  const auto connected6 = Lookup("fd00::9");
  const auto routed6 = Lookup("fd02::9");

  ASSERT_TRUE(connected && routed && local && connected6 && routed6);
  EXPECT_EQ(connected->link_index, eno1);
  EXPECT_EQ(connected->gateway, std::nullopt);
  EXPECT_FALSE(connected->local);
  EXPECT_EQ(routed->link_index, eno1);
  EXPECT_EQ(routed->gateway, Address("10.1.0.1"));
  EXPECT_TRUE(local->local);
  EXPECT_EQ(connected6->link_index, eno1);
  EXPECT_EQ(connected6->gateway, std::nullopt);
  EXPECT_EQ(routed6->gateway, Address("fd00::1"));
}

TEST_F(StorageNetworkNamespaceTest, LookupFindsNothingWhereThereIsNoWay) {
  PlugCable();
  Ip("address add 10.1.0.5/24 dev eno1");
  Ip("address add fd00::5/64 dev eno1 nodad");
  EXPECT_EQ(Lookup("192.0.2.1"), std::nullopt);
  EXPECT_EQ(Lookup("2001:db8::1"), std::nullopt);
  for (const char* kind : {"unreachable", "prohibit", "blackhole"}) {
    Ip(absl::StrFormat("route add %s 198.51.100.0/24", kind));
    Ip(absl::StrFormat("-6 route add %s 2001:db8:1::/64", kind));

    EXPECT_EQ(Lookup("198.51.100.1"), std::nullopt) << kind;
    EXPECT_EQ(Lookup("2001:db8:1::1"), std::nullopt) << kind;

    Ip("route del 198.51.100.0/24");
    Ip("-6 route del 2001:db8:1::/64");
  }
  Ip("route add default via 10.1.0.1");
  EXPECT_EQ(Lookup("192.0.2.1")->gateway, Address("10.1.0.1")) << "the default route is a way";
}

TEST_F(StorageNetworkNamespaceTest, ALinkIsChangedAndAskedAgainNothingIsWrong) {
  PlugCable();
  for (int again = 0; again < 2; ++again) {
    EXPECT_THAT(network_.SetMtu("eno1", 9000), IsOk());
    EXPECT_THAT(network_.SetUp("eno1", false), IsOk());
  }
  EXPECT_EQ(LinkNamed("eno1").mtu, 9000u);
  EXPECT_FALSE(LinkNamed("eno1").up);
  for (int again = 0; again < 2; ++again) EXPECT_THAT(network_.SetUp("eno1", true), IsOk());
  EXPECT_TRUE(LinkNamed("eno1").up);
  EXPECT_THAT(network_.SetMtu("eno1", 1'000'000), IsRefusal("KERNEL_REFUSED", "set the MTU of eno1 to 1000000"));

  EXPECT_THAT(network_.DeleteLink("eno1"), IsOk());

  EXPECT_THAT(network_.DeleteLink("eno1"), IsRefusal("LINK_MISSING", "eno1"));
}

TEST_F(StorageNetworkNamespaceTest, AddressesComeAndGoAndAskedAgainNothingIsWrong) {
  PlugCable();
  for (const char* text : {"10.1.0.5/24", "fd00::5/64"}) {
    for (int again = 0; again < 2; ++again) EXPECT_THAT(network_.AddAddress("eno1", Prefix(text)), IsOk());
    EXPECT_THAT(LinkNamed("eno1").addresses, ElementsAre(Prefix(text)));
    for (int again = 0; again < 2; ++again) EXPECT_THAT(network_.RemoveAddress("eno1", Prefix(text)), IsOk());
    EXPECT_THAT(LinkNamed("eno1").addresses, IsEmpty());
  }
}

TEST_F(StorageNetworkNamespaceTest, AnIpv6AddressOfAnotherLengthIsNotTakenForTheSame) {
  PlugCable();
  Ip("address add fd00::5/48 dev eno1");

  EXPECT_THAT(network_.AddAddress("eno1", Prefix("fd00::5/64")), IsRefusal("KERNEL_REFUSED", "fd00::5/48"));
}

TEST_F(StorageNetworkNamespaceTest, RoutesAreOnTheLinkWhateverItsAddresses) {
  PlugCable();
  const int eno1 = LinkNamed("eno1").index;
  for (const auto& [subnet, gateway] : {std::pair("10.2.0.0/16", "192.0.2.1"), std::pair("fd02::/64", "2001:db8::1")}) {
    for (int again = 0; again < 2; ++again) {
      EXPECT_THAT(network_.AddRoute("eno1", Prefix(subnet), Address(gateway)), IsOk());
    }
    EXPECT_THAT(Routes(), Contains(IsRoute(eno1, subnet, gateway)));
    EXPECT_EQ(Lookup(Prefix(subnet).address.v6 ? "fd02::9" : "10.2.0.9")->gateway, Address(gateway));
    EXPECT_THAT(network_.AddRoute("eno1", Prefix(subnet), Prefix(subnet).address), IsRefusal("KERNEL_REFUSED", gateway))
        << "another gateway is another route";
    for (int again = 0; again < 2; ++again) {
      EXPECT_THAT(network_.RemoveRoute("eno1", Prefix(subnet), Address(gateway)), IsOk());
    }
    EXPECT_THAT(Routes(), Not(Contains(Field(&LinkRoute::subnet, Prefix(subnet)))));
  }
}

TEST_F(StorageNetworkNamespaceTest, ARouteOfAnotherGatewayStays) {
  PlugCable();
  Ip("route add 10.2.0.0/16 via 192.0.2.1 dev eno1 onlink");

  EXPECT_THAT(network_.RemoveRoute("eno1", Prefix("10.2.0.0/16"), Address("192.0.2.2")), IsOk());

  EXPECT_THAT(Routes(), Contains(IsRoute(LinkNamed("eno1").index, "10.2.0.0/16", "192.0.2.1")));
}

TEST_F(StorageNetworkNamespaceTest, WhatIsAskedOfAMissingLinkNamesIt) {
  const auto missing = IsRefusal("LINK_MISSING", "eno7");
  EXPECT_THAT(network_.SetMtu("eno7", 1500), missing);
  EXPECT_THAT(network_.SetUp("eno7", true), missing);
  EXPECT_THAT(network_.DeleteLink("eno7"), missing);
  EXPECT_THAT(network_.AddAddress("eno7", Prefix("10.1.0.5/24")), missing);
  EXPECT_THAT(network_.RemoveAddress("eno7", Prefix("10.1.0.5/24")), missing);
  EXPECT_THAT(network_.AddRoute("eno7", Prefix("10.2.0.0/16"), Address("10.1.0.1")), missing);
  EXPECT_THAT(network_.RemoveRoute("eno7", Prefix("10.2.0.0/16"), Address("10.1.0.1")), missing);
  EXPECT_THAT(network_.CreateVlan("eno7", "eno7.100", 100), missing);
  EXPECT_THAT(network_.AddBridgeVid("eno7", 100), missing);
  EXPECT_THAT(network_.RemoveBridgeVid("eno7", 100), missing);
  EXPECT_THAT(network_.DeleteLink("a-name-that-is-too-long"), IsRefusal("LINK_MISSING", "too-long"));
}

TEST_F(StorageNetworkNamespaceTest, WhatIsNoBridgeAndAKernelWithoutVlanFilteringSaySo) {
  PlugCable();
  EXPECT_THAT(network_.AddBridgeVid("eno1", 100), IsRefusal("KERNEL_REFUSED", "eno1 is no bridge"));
  EXPECT_THAT(network_.RemoveBridgeVid("eno1", 100), IsRefusal("KERNEL_REFUSED", "eno1 is no bridge"));
  Ip("link add vmbr0 type bridge");
  const absl::Status status = network_.AddBridgeVid("vmbr0", 100);
  if (!status.ok()) {
    EXPECT_THAT(status, IsRefusal("KERNEL_SUPPORT_MISSING", "VLAN filtering"));
  }
}

TEST_F(StorageNetworkNamespaceTest, AKernelWithoutVlansIsNamedAsSuch) {
  PlugCable();
  const absl::Status status = network_.CreateVlan("eno1", "eno1.100", 100);
  if (status.ok()) GTEST_SKIP() << "this kernel has VLANs";

  EXPECT_THAT(status, IsRefusal("KERNEL_SUPPORT_MISSING", "8021q"));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
}

// What the test's process may do, for the thread that calls it: threads have capabilities of their own.
void DropNetAdmin() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  ASSERT_EQ(syscall(SYS_capget, &header, data), 0);
  data[CAP_TO_INDEX(CAP_NET_ADMIN)].effective &= ~CAP_TO_MASK(CAP_NET_ADMIN);
  ASSERT_EQ(syscall(SYS_capset, &header, data), 0);
}

TEST_F(StorageNetworkNamespaceTest, WithoutTheCapabilityEverythingButReadingSaysWhatIsMissing) {
  PlugCable();
  Ip("address add 10.1.0.5/24 dev eno1");
  Ip("link add vmbr0 type bridge");
  const auto refused = IsRefusal("NET_ADMIN_MISSING", "AmbientCapabilities=CAP_NET_ADMIN");

  std::thread powerless([&] {
    DropNetAdmin();
    NftIsolation isolation;
    EXPECT_THAT(network_.Read().status(), IsOk());
    EXPECT_THAT(network_.Lookup(Address("10.1.0.9")).status(), IsOk());
    EXPECT_THAT(network_.CreateVlan("eno1", "eno1.100", 100), refused);
    EXPECT_THAT(network_.DeleteLink("eno1"), refused);
    EXPECT_THAT(network_.SetMtu("eno1", 1400), refused);
    EXPECT_THAT(network_.SetUp("eno1", false), refused);
    EXPECT_THAT(network_.AddAddress("eno1", Prefix("10.1.0.6/24")), refused);
    EXPECT_THAT(network_.RemoveAddress("eno1", Prefix("10.1.0.5/24")), refused);
    EXPECT_THAT(network_.AddRoute("eno1", Prefix("10.2.0.0/16"), Address("10.1.0.1")), refused);
    EXPECT_THAT(network_.RemoveRoute("eno1", Prefix("10.2.0.0/16"), Address("10.1.0.1")), refused);
    EXPECT_THAT(network_.AddBridgeVid("vmbr0", 100), refused);
    EXPECT_THAT(isolation.Isolate("eno1", {Prefix("10.1.0.0/24")}), refused);
    EXPECT_THAT(isolation.Read("eno1").status(), refused);
    EXPECT_THAT(isolation.Release("eno1"), refused);
  });
  powerless.join();

  EXPECT_TRUE(LinkNamed("eno1").up);
  EXPECT_EQ(LinkNamed("eno1").mtu, 1500u);
  EXPECT_THAT(LinkNamed("eno1").addresses, ElementsAre(Prefix("10.1.0.5/24")));
}

TEST_F(StorageNetworkNamespaceTest, TheWatchTellsOfLinksAddressesAndRoutes) {
  // No link-local addresses, which come by themselves a second later.
  std::ofstream("/proc/sys/net/ipv6/conf/default/addr_gen_mode") << "1" << std::flush;
  PlugCable();
  // Becoming able to carry packets is told late by the kernel.
  testing::WaitFor("the cable", [&] { return LinkNamed("eno1").running; });
  std::atomic<int> told = 0;
  auto watch = NetlinkWatch::Create([&] { ++told; });
  ASSERT_THAT(watch.status(), IsOk());
  const auto is_told_of = [&](const std::string& what) {
    // What the last change brought with it is over when there was quiet.
    int before = -1;
    while (std::exchange(before, told.load()) != told.load()) testing::LetPass(NetlinkWatch::kAtMost);
    before = told;
    Ip(what);
    testing::WaitFor(what, [&] { return told > before; });
  };

  is_told_of("address add 10.1.0.5/24 dev eno1");
  is_told_of("address add fd00::5/64 dev eno1 nodad");
  is_told_of("route add 10.2.0.0/16 via 10.1.0.1");
  is_told_of("-6 route add fd02::/64 via fd00::1");
  is_told_of("link set eno1 mtu 1400");
  is_told_of("link add vmbr0 type bridge");
  is_told_of("link delete vmbr0");
  is_told_of("address del 10.1.0.5/24 dev eno1");
}

TEST_F(StorageNetworkNamespaceTest, ManyChangesAreToldFewTimesAndTheLastOneIsNotMissed) {
  std::atomic<int> told = 0;
  std::atomic<bool> seen_last = false;
  auto watch = NetlinkWatch::Create([&] {
    ++told;
    const auto network = network_.Read();
    if (network.ok() && network->Find("last") != nullptr) seen_last = true;
  });
  ASSERT_THAT(watch.status(), IsOk());
  PlugCable();
  const auto begin = std::chrono::steady_clock::now();
  // Without a process each: more than the kernel keeps for a watch that sleeps.
  for (uint32_t mtu = 1000; mtu < 1400; ++mtu) ASSERT_THAT(network_.SetMtu("eno1", mtu), IsOk());
  Ip("link add last type bridge");
  testing::WaitFor("the last change", [&] { return seen_last.load(); });

  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_LE(told, 3 + took / NetlinkWatch::kQuiet) << "of 400 changes";
}

TEST_F(StorageNetworkNamespaceTest, AWatchEndsAtOnceAndTellsNothingAfterwards) {
  std::atomic<int> told = 0;
  auto watch = NetlinkWatch::Create([&] { ++told; });
  ASSERT_THAT(watch.status(), IsOk());
  Ip("link add vmbr0 type bridge");

  watch->reset();

  const int before = told;
  Ip("link delete vmbr0");
  EXPECT_EQ(told, before);
}

}  // namespace
}  // namespace pvebus::storage
