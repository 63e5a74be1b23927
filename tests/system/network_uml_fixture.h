#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tests/system/hook_rows.h"
#include "tests/system/network_node.h"

namespace pvebus::testing {

// One bridge on a card, and a card of its own for storages.
inline constexpr char kOldInterfaces[] = R"(auto lo
iface lo inet loopback

iface eno1 inet manual

iface eno2 inet manual

auto eno3
iface eno3 inet static
	address 10.3.0.5/24

auto vmbr0
iface vmbr0 inet static
	address 10.0.0.5/24
	gateway 10.0.0.1
	bridge-ports eno1
	bridge-stp off
	bridge-fd 0

source /etc/network/interfaces.d/*
)";

// The bridge is on a bond, and there is a VLAN for storages.
inline constexpr char kNewInterfaces[] = R"(auto lo
iface lo inet loopback

iface eno1 inet manual

iface eno2 inet manual

auto eno3
iface eno3 inet static
	address 10.3.0.5/24

auto bond0
iface bond0 inet manual
	bond-slaves eno1 eno2
	bond-miimon 100
	bond-mode active-backup

auto vmbr0
iface vmbr0 inet static
	address 10.0.0.5/24
	gateway 10.0.0.1
	bridge-ports bond0
	bridge-stp off
	bridge-fd 0
	bridge-vlan-aware yes
	bridge-vids 2-4094

auto vmbr0.20
iface vmbr0.20 inet static
	address 10.20.0.5/24

source /etc/network/interfaces.d/*
)";

// A node in a User Mode Linux; without that, or ifupdown2, its tests say that they prove nothing.
class NetworkUmlTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string why_not = Ifupdown2::WhyNot();
    if (!why_not.empty()) GTEST_SKIP() << "NOT PROVEN: networks changed by ifupdown2. " << why_not;
    // Once: it changes what the process sees of /etc.
    static const Ifupdown2& ifupdown2 = *new Ifupdown2();
    ifupdown2_ = &ifupdown2;
  }

  // With kOldInterfaces in force.
  NetworkNode& Start() {
    node_.emplace(*ifupdown2_, kOldInterfaces);
    ifupdown2_->Reload();
    ExpectOldNetwork();
    return *node_;
  }
  NetworkNode& node() { return *node_; }
  const Ifupdown2& ifupdown2() const { return *ifupdown2_; }

  static std::string Link(const std::string& name) { return ShOutput("ip -d -j link show dev " + name); }
  static std::string Addresses(const std::string& name) { return ShOutput("ip -br address show dev " + name); }
  static bool LinkExists(const std::string& name) { return ShSucceeds("ip link show dev " + name); }

  // As kOldInterfaces say.
  static void ExpectOldNetwork() {
    using ::testing::AllOf;
    using ::testing::HasSubstr;
    using ::testing::Not;
    EXPECT_THAT(Link("eno1"), AllOf(HasSubstr(R"("master":"vmbr0")"), HasSubstr(R"("UP")")));
    EXPECT_THAT(Link("vmbr0"), AllOf(HasSubstr(R"("info_kind":"bridge")"), HasSubstr(R"("vlan_filtering":0)")));
    EXPECT_THAT(Addresses("vmbr0"), HasSubstr("10.0.0.5/24"));
    EXPECT_THAT(ShOutput("ip route"), HasSubstr("default via 10.0.0.1 dev vmbr0"));
    EXPECT_THAT(Link("eno2"), Not(HasSubstr("master")));
    for (const char* gone : {"bond0", "vmbr0.20"}) EXPECT_FALSE(LinkExists(gone)) << gone;
  }
  // As kNewInterfaces say.
  static void ExpectNewNetwork() {
    using ::testing::AllOf;
    using ::testing::HasSubstr;
    for (const char* card : {"eno1", "eno2"}) EXPECT_THAT(Link(card), HasSubstr(R"("master":"bond0")"));
    EXPECT_THAT(Link("bond0"), AllOf(HasSubstr(R"("info_kind":"bond")"), HasSubstr(R"("mode":"active-backup")"),
                                     HasSubstr(R"("master":"vmbr0")")));
    EXPECT_THAT(Link("vmbr0"), AllOf(HasSubstr(R"("info_kind":"bridge")"), HasSubstr(R"("vlan_filtering":1)")));
    EXPECT_THAT(Addresses("vmbr0"), HasSubstr("10.0.0.5/24"));
    EXPECT_THAT(ShOutput("ip route"), HasSubstr("default via 10.0.0.1 dev vmbr0"));
    EXPECT_THAT(Link("vmbr0.20"), AllOf(HasSubstr(R"("info_kind":"vlan")"), HasSubstr(R"("id":20)")));
    EXPECT_THAT(Addresses("vmbr0.20"), HasSubstr("10.20.0.5/24"));
  }

 private:
  const Ifupdown2* ifupdown2_ = nullptr;
  std::optional<NetworkNode> node_;
};

}  // namespace pvebus::testing
