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

// A node whose eno1.100 leads to another network namespace, where whoever has an address answers.
class IsolationTest : public StorageNetworkNamespaceTest {
 protected:
  void SetUp() override {
    StorageNetworkNamespaceTest::SetUp();
    if (IsSkipped()) return;
    auto far = NetworkNamespace::Make();
    ASSERT_THAT(far.status(), IsOk());
    far_ = std::make_unique<NetworkNamespace>(*std::move(far));
    Ip("link add eno1.100 type veth peer name far");
    Ip("link set dev far netns " + far_->path());
    Ip("link set eno1.100 up");
    Ip("address add 10.1.0.5/24 dev eno1.100");
    Ip("address add fd00::5/64 dev eno1.100 nodad");
    far_->Do([] {
      Ip("link set lo up");
      Ip("link set far up");
      Ip("address add 10.1.0.1/24 dev far");
      Ip("address add 10.2.0.1/24 dev far");
      Ip("address add 10.9.0.1/24 dev far");
      Ip("address add fd00::1/64 dev far nodad");
      Ip("address add fd09::1/64 dev far nodad");
    });
    for (const char* subnet : {"10.2.0.0/24", "10.9.0.0/24"}) Ip(absl::StrFormat("route add %s via 10.1.0.1", subnet));
    Ip("-6 route add fd09::/64 via fd00::1");
  }

  // Whether a datagram to the address arrives there.
  bool Reaches(const char* text) {
    const IpAddress address = Address(text);
    int receiver = -1;
    sockaddr_storage at{};
    socklen_t length = sizeof(at);
    far_->Do([&] {
      receiver = socket(address.v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      length = Fill(address, at);
      ASSERT_EQ(bind(receiver, reinterpret_cast<sockaddr*>(&at), length), 0) << text << strerror(errno);
      ASSERT_EQ(getsockname(receiver, reinterpret_cast<sockaddr*>(&at), &length), 0);
    });
    const int sender = socket(address.v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    // EPERM is what a dropped packet of one's own looks like; a first packet waits for the neighbour, a few are as good as one.
    pollfd arrived{receiver, POLLIN, 0};
    for (int i = 0; i < 4 && arrived.revents == 0; ++i) {
      if (sendto(sender, "x", 1, 0, reinterpret_cast<sockaddr*>(&at), length) != 1 && errno != EPERM)
        ADD_FAILURE() << strerror(errno);
      poll(&arrived, 1, 100);
    }
    close(sender);
    close(receiver);
    return arrived.revents != 0;
  }

  static socklen_t Fill(const IpAddress& address, sockaddr_storage& at) {
    if (address.v6) {
      auto& in6 = reinterpret_cast<sockaddr_in6&>(at);
      in6.sin6_family = AF_INET6;
      memcpy(&in6.sin6_addr, address.bytes.data(), 16);
      return sizeof(sockaddr_in6);
    }
    auto& in = reinterpret_cast<sockaddr_in&>(at);
    in.sin_family = AF_INET;
    memcpy(&in.sin_addr, address.bytes.data(), 4);
    return sizeof(sockaddr_in);
  }
  std::optional<std::vector<IpPrefix>> Isolated(const std::string& link) {
    const auto subnets = isolation_.Read(link);
    EXPECT_TRUE(subnets.ok()) << subnets.status();
    return subnets.ok() ? *subnets : std::nullopt;
  }

  std::unique_ptr<NetworkNamespace> far_;
  NftIsolation isolation_;
};

TEST_F(IsolationTest, OnlyTheNamedSubnetsAreReachedThroughTheLink) {
  for (const char* address : {"10.1.0.1", "10.2.0.1", "10.9.0.1", "fd00::1", "fd09::1"}) ASSERT_TRUE(Reaches(address)) << address;

  ASSERT_THAT(isolation_.Isolate("eno1.100", {Prefix("10.1.0.0/24"), Prefix("10.2.0.0/24"), Prefix("fd00::/64")}), IsOk());
  Ip("neigh flush dev eno1.100");

  for (const char* address : {"10.1.0.1", "10.2.0.1", "fd00::1"}) EXPECT_TRUE(Reaches(address)) << address;
  for (const char* address : {"10.9.0.1", "fd09::1"}) EXPECT_FALSE(Reaches(address)) << address;
  EXPECT_THAT(Isolated("eno1.100"), Optional(ElementsAre(Prefix("10.1.0.0/24"), Prefix("10.2.0.0/24"), Prefix("fd00::/64"))));

  ASSERT_THAT(isolation_.Release("eno1.100"), IsOk());

  for (const char* address : {"10.1.0.1", "10.9.0.1", "fd09::1"}) EXPECT_TRUE(Reaches(address)) << address;
  EXPECT_EQ(Isolated("eno1.100"), std::nullopt);
}

TEST_F(IsolationTest, WhatIsForwardedThroughTheLinkIsJudgedToo) {
  auto guest = NetworkNamespace::Make();
  ASSERT_THAT(guest.status(), IsOk());
  Ip("link add vm1 type veth peer name eth0");
  Ip("link set dev eth0 netns " + guest->path());
  Ip("link set vm1 up");
  Ip("address add 10.7.0.1/24 dev vm1");
  std::ofstream("/proc/sys/net/ipv4/ip_forward") << "1" << std::flush;
  guest->Do([] {
    Ip("link set eth0 up");
    Ip("address add 10.7.0.2/24 dev eth0");
    Ip("route add default via 10.7.0.1");
  });
  const auto guest_reaches = [&](const char* address) {
    bool reaches = false;
    guest->Do([&] { reaches = Reaches(address); });
    return reaches;
  };
  ASSERT_TRUE(guest_reaches("10.9.0.1"));

  ASSERT_THAT(isolation_.Isolate("eno1.100", {Prefix("10.1.0.0/24")}), IsOk());

  EXPECT_TRUE(guest_reaches("10.1.0.1"));
  EXPECT_FALSE(guest_reaches("10.9.0.1"));
}

TEST_F(IsolationTest, ANewIsolationReplacesTheOldOne) {
  ASSERT_THAT(isolation_.Isolate("eno1.100", {Prefix("10.1.0.0/24")}), IsOk());
  ASSERT_THAT(isolation_.Isolate("eno1.100", {Prefix("10.9.0.0/24")}), IsOk());
  ASSERT_THAT(isolation_.Isolate("eno1.100", {Prefix("10.9.0.0/24")}), IsOk());

  EXPECT_TRUE(Reaches("10.9.0.1"));
  EXPECT_FALSE(Reaches("10.1.0.1"));
  EXPECT_THAT(Isolated("eno1.100"), Optional(ElementsAre(Prefix("10.9.0.0/24"))));
}

TEST_F(IsolationTest, SubnetsReadAsTheyWereWritten) {
  // Neighbours, one in the other, a single host.
  const std::vector<IpPrefix> subnets = {Prefix("10.1.0.0/25"), Prefix("10.1.0.128/25"), Prefix("10.1.0.0/16"),
                                         Prefix("10.8.0.1/32"), Prefix("fd00::/64"),     Prefix("fd00::9/128"),
                                         Prefix("10.0.0.0/9")};
  ASSERT_THAT(isolation_.Isolate("eno1.100", subnets), IsOk());

  auto sorted = subnets;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_THAT(Isolated("eno1.100"), Optional(sorted));
  ASSERT_THAT(isolation_.Isolate("eno1.100", {}), IsOk());
  EXPECT_THAT(Isolated("eno1.100"), Optional(IsEmpty()));
  EXPECT_FALSE(Reaches("10.1.0.1"));
}

TEST_F(IsolationTest, LinksAreIsolatedEachForItselfAndTheTableGoesWithTheLast) {
  Ip("link add eno1_200 type veth peer name far2");
  const std::vector<std::string> links = {"eno1.100", "eno1_200", "eno1-200", "1.1"};
  for (const std::string& link : links) ASSERT_THAT(isolation_.Isolate(link, {Prefix("10.1.0.0/24")}), IsOk()) << link;
  for (const std::string& link : links) {
    EXPECT_TRUE(Isolated(link).has_value()) << link;
    ASSERT_THAT(Nft("list tables"), HasSubstr("pvebus_storage"));

    ASSERT_THAT(isolation_.Release(link), IsOk()) << link;
    ASSERT_THAT(isolation_.Release(link), IsOk()) << link << ": gone already";

    EXPECT_EQ(Isolated(link), std::nullopt);
  }
  EXPECT_EQ(Nft("list ruleset"), "");
}

TEST_F(IsolationTest, TheRulesOfOthersAreNotTouched) {
  Nft("add table inet filter");
  Nft("add chain inet filter output { type filter hook output priority 0 ; policy accept ; }");
  Nft("add rule inet filter output oifname eno1.100 ip daddr 10.2.0.0/24 drop");
  Nft("add table ip pvebus_storage");
  const std::string before = Nft("list ruleset");

  ASSERT_THAT(isolation_.Isolate("eno1.100", {Prefix("10.1.0.0/24"), Prefix("10.2.0.0/24")}), IsOk());

  EXPECT_THAT(Nft("list ruleset"), HasSubstr(before));
  EXPECT_FALSE(Reaches("10.2.0.1")) << "to be let through here is not to be let through by others";
  ASSERT_THAT(isolation_.Release("eno1.100"), IsOk());
  EXPECT_EQ(Nft("list ruleset"), before);
}

TEST_F(IsolationTest, AnIsolationThatSomebodyBrokeIsNone) {
  for (const char* damage : {"flush chain inet pvebus_storage forward", "flush chain inet pvebus_storage to_eno1.100",
                             "flush map inet pvebus_storage links", "flush ruleset"}) {
    ASSERT_THAT(isolation_.Isolate("eno1.100", {Prefix("10.1.0.0/24")}), IsOk());
    ASSERT_TRUE(Isolated("eno1.100").has_value());

    Nft(damage);

    EXPECT_EQ(Isolated("eno1.100"), std::nullopt) << damage;
  }
  ASSERT_THAT(isolation_.Isolate("eno1.100", {Prefix("10.1.0.0/24")}), IsOk());
  EXPECT_FALSE(Reaches("10.9.0.1"));
}

TEST_F(IsolationTest, ANameThatNftCouldMisunderstandIsRefused) {
  for (const char* name :
       {"", "eno1\" : accept }; flush ruleset #", "eno*", "eno 1", "eno1;", "a-name-of-16-byt", "eno1\n", "\xc3\xa9"}) {
    EXPECT_THAT(isolation_.Isolate(name, {}), IsRefusal("LINK_NAME_INVALID", "1 to 15")) << name;
    EXPECT_THAT(isolation_.Read(name).status(), IsRefusal("LINK_NAME_INVALID", "1 to 15")) << name;
    EXPECT_THAT(isolation_.Release(name), IsRefusal("LINK_NAME_INVALID", "1 to 15")) << name;
  }
}

}  // namespace
}  // namespace pvebus::storage
