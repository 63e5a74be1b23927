// What ifupdown2 refuses, half does, or only warns of, and a service that is killed. Runs inside User Mode Linux, as root of it.
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/system/network_uml_fixture.h"

namespace pvebus::testing {
namespace {

using network::v1::Apply;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr seconds kPatience{60};

std::string Text(const event::v1::SystemEvent& event, const std::string& field) {
  const auto found = event.custom().data().find(field);
  return found == event.custom().data().end() ? "" : found->second.string_value();
}

TEST_F(NetworkUmlTest, WhatIfupdown2RefusesIsNotTouched) {
  Start().Stage(absl::StrCat(kNewInterfaces, "source /etc/network/interfaces.d-not-there/file\n"));

  const auto refused = node().Pvebus({"network", "apply"});

  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_THAT(refused.error, AllOf(HasSubstr("SYNTAX_CHECK_FAILED"), HasSubstr("cannot find source file")));
  ExpectOldNetwork();
  EXPECT_EQ(node().Read("interfaces"), kOldInterfaces);
  EXPECT_THAT(node().NetworkEvents(), IsEmpty());
  EXPECT_THAT(node().FailureEvents(), IsEmpty());
}

TEST_F(NetworkUmlTest, AReloadThatFailsHalfWayIsUndoneAndToldWithItsOutput) {
  const std::string staged = absl::StrCat(kNewInterfaces, "auto vmbr1\niface vmbr1 inet manual\n\tbridge-ports eno9\n");
  Start().Stage(staged);

  const auto undone = node().Pvebus({"network", "apply"});

  EXPECT_EQ(undone.exit_code, 3);
  EXPECT_THAT(undone.error, AllOf(HasSubstr("RELOAD_FAILED"), HasSubstr("bridge port eno9 does not exist"),
                                  HasSubstr("the old configuration is back")));
  ExpectOldNetwork();
  EXPECT_FALSE(LinkExists("vmbr1"));
  EXPECT_EQ(node().Read("interfaces"), kOldInterfaces);
  EXPECT_EQ(node().Read("interfaces.new"), staged);
  EXPECT_THAT(node().NetworkEvents(), IsEmpty());
  node().AwaitApply(network::v1::APPLY_STATE_FAILED);
  const auto failures = node().FailureEvents();
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].custom().name(), "network_apply_failed");
  EXPECT_EQ(Text(failures[0], "reason"), "RELOAD_FAILED");
  EXPECT_THAT(Text(failures[0], "reload_output"), HasSubstr("bridge port eno9 does not exist"));
  EXPECT_TRUE(failures[0].custom().data().at("old_configuration_restored").bool_value());
}

// Debian's ifupdown2 allows one VLAN-aware bridge, ignores the second, and ends with 0.
TEST_F(NetworkUmlTest, AReloadThatSaysItWorkedAndDidNotIsUndone) {
  Start().Stage(
      absl::StrCat(kNewInterfaces, "auto vmbr1\niface vmbr1 inet manual\n\tbridge-ports none\n\tbridge-vlan-aware yes\n"));

  const auto undone = node().Pvebus({"network", "apply"});

  EXPECT_EQ(undone.exit_code, 3);
  EXPECT_THAT(undone.error, AllOf(HasSubstr("NOT_AS_CONFIGURED"), HasSubstr("vmbr1: there is no such bridge")));
  ExpectOldNetwork();
}

// All of it is usual on nodes, most of it ifupdown2's syntax check warns of, and none of it is an error.
TEST_F(NetworkUmlTest, WhatIsUsualOnNodesIsApplied) {
  Start().Stage(absl::StrReplaceAll(R"(auto lo
iface lo inet loopback
# eno2 comes and goes
allow-hotplug eno2
iface eno2 inet static
	address 10.2.0.5/24
auto eno1
iface eno1 inet manual
	mtu 9000
auto vmbr0
iface vmbr0 inet static
	address 10.0.0.5
	netmask 255.255.255.0
	gateway 10.0.0.1
	bridge_ports eno1
	bridge_stp off
	bridge_fd 0
	mtu 9000
	post-up ip route add 10.99.0.0/16 via 10.0.0.254
	post-up exit 3
iface vmbr0 inet6 static
	address fd00::5/64
	gateway fd00::1
auto vmbr0:1
iface vmbr0:1 inet static
	address 10.8.0.5/24
auto vmbr1
iface vmbr1 inet manual
	bridge-ports none
	bridge-stp off
	bridge-fd 0
auto eno3.50
iface eno3.50 inet static
	address 10.50.0.5/24
	mtu 9000
auto vxlan7
iface vxlan7 inet manual
	vxlan-id 7
	vxlan-local-tunnelip 10.0.0.5
	vxlan-remoteip 10.0.0.6
)",
                                    {{"\n", "\r\n"}}));

  const Apply applied = node().ApplyStaged();

  EXPECT_EQ(applied.state(), network::v1::APPLY_STATE_COMMITTED) << applied.DebugString();
  EXPECT_THAT(applied.warnings(), Contains(HasSubstr("post-up cmd 'exit 3' failed: returned 3")));
  EXPECT_THAT(Addresses("vmbr0"), AllOf(HasSubstr("10.0.0.5/24"), HasSubstr("10.8.0.5/24"), HasSubstr("fd00::5/64")));
  EXPECT_THAT(Link("vmbr0"), HasSubstr(R"("mtu":9000)"));
  EXPECT_THAT(ShOutput("ip -6 route"), HasSubstr("default via fd00::1 dev vmbr0"));
  EXPECT_THAT(Link("vmbr1"), HasSubstr(R"("info_kind":"bridge")"));
  EXPECT_THAT(Link("vxlan7"), HasSubstr(R"("info_kind":"vxlan")"));
  // Of what has a card that is smaller the MTU is a warning.
  EXPECT_THAT(applied.warnings(), Contains(HasSubstr("eno3.50: its mtu is 1500, not 9000")));
  EXPECT_THAT(Addresses("eno2"), Not(HasSubstr("10.2.0.5"))) << "ifreload -a leaves it to hotplug";
}

// Debian's ifupdown2 does that, Proxmox VE's does not.
TEST_F(NetworkUmlTest, GuestsThatAReloadTakesOutOfTheirBridgeAreNamed) {
  Start();
  Sh("ip link add veth101i0 type veth peer name guest && ip link set veth101i0 master vmbr0 && ip link set veth101i0 up");
  node().Stage(absl::StrReplaceAll(kOldInterfaces, {{"10.3.0.5", "10.3.0.6"}}));

  const Apply applied = node().ApplyStaged();

  const bool taken = Link("veth101i0").find("master") == std::string::npos;
  EXPECT_EQ(applied.state(), network::v1::APPLY_STATE_COMMITTED);
  EXPECT_TRUE(taken) << "then this warning is not needed any more";
  EXPECT_THAT(applied.warnings(), Contains(AllOf(HasSubstr("ports of guests are not in it any more"), HasSubstr("veth101i0"))));
}

TEST_F(NetworkUmlTest, ACardThatWasMissingBeforeHindersNobody) {
  const std::string lacking = "auto vmbr9\niface vmbr9 inet manual\n\tbridge-ports eno9\n";
  Start().Write("interfaces", kOldInterfaces + lacking);
  ShSucceeds("PATH=/usr/sbin:/usr/bin:/sbin:/bin " + ifupdown2().Program("ifreload") + " -a");
  node().Stage(kNewInterfaces + lacking);

  const Apply applied = node().ApplyStaged({"--confirm", "60s"});

  EXPECT_EQ(applied.reload().exit_code(), 1);
  EXPECT_THAT(applied.warnings(), Contains(HasSubstr("bridge port eno9 does not exist")));
  ExpectNewNetwork();
  EXPECT_EQ(node().Pvebus({"network", "revert"}).exit_code, 0);
  EXPECT_EQ(node().LastApply().state(), network::v1::APPLY_STATE_REVERTED);
  ExpectOldNetwork();
}

TEST_F(NetworkUmlTest, AServiceThatIsKilledWhileItReloadsUndoesItWhenItIsBack) {
  const std::string begun = "/run/reload-has-begun";
  Start().Stage(absl::StrReplaceAll(kNewInterfaces,
                                    {{"10.20.0.5/24\n", absl::StrCat("10.20.0.5/24\n\tpost-up touch ", begun, "; sleep 3\n")}}));
  const auto command = node().PvebusLater({"network", "apply"});
  WaitFor(
      "ifreload to be at work", [&] { return std::filesystem::exists(begun); }, kPatience);

  node().Kill();
  const int exit_code = command->WaitExit(kPatience).value_or(-1);
  node().Start();
  const Apply failed = node().AwaitApply(network::v1::APPLY_STATE_FAILED);

  EXPECT_EQ(exit_code, 3) << command->StandardError();
  EXPECT_EQ(failed.error().reason(), "INTERRUPTED");
  ExpectOldNetwork();
  EXPECT_EQ(node().Read("interfaces"), kOldInterfaces);
  EXPECT_THAT(node().NetworkEvents(), IsEmpty());
  const auto failures = node().FailureEvents();
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(Text(failures[0], "reason"), "INTERRUPTED");
}

}  // namespace
}  // namespace pvebus::testing
