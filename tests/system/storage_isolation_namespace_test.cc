// Isolation of links by nftables, against this machine's kernel: User Mode Linux's cannot filter.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage-service/host/network/nft_isolation.h"
#include "tests/system/command.h"
#include "tests/system/network_namespace.h"
#include "tests/system/system_matchers.h"

namespace pvebus::storage {
namespace {

using testing::Address;
using ::testing::ElementsAre;
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

// A node whose eno1.100 leads to another network namespace, where whoever has an address answers.
class IsolationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto entered = NetworkNamespace::Enter();
    if (!entered.ok()) GTEST_SKIP() << "NOT PROVEN: isolation. No network namespace: " << entered.status();
    Ip("link set lo up");
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
