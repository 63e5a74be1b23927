#include "network-service/core/interface_checks.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "network-service/core/testing/memory_files.h"

namespace pvebus::network {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Check(const std::string& text) {
  const NetworkConfiguration configuration = Understand(text);
  EXPECT_THAT(configuration.diagnostics, IsEmpty()) << text;
  Diagnostics diagnostics;
  CheckInterfaces(configuration, diagnostics);
  std::vector<std::string> told;
  for (const Diagnostic& diagnostic : diagnostics.Take()) {
    EXPECT_GT(diagnostic.place.line, 0u);
    told.push_back(absl::StrCat(diagnostic.severity == Severity::kError ? "error: " : "warning: ", diagnostic.message));
  }
  return told;
}

// Stanzas of the network cards, which do not matter here.
std::string With(const std::string& text) {
  return "iface eno1 inet manual\niface eno2 inet manual\niface eno3 inet manual\n" + text;
}

TEST(InterfaceChecksTest, WhatFitsTogetherIsNotTalkedAbout) {
  EXPECT_THAT(
      Check(With("auto bond0\niface bond0 inet manual\n bond-slaves eno1 eno2\n mtu 9000\n"
                 "auto vmbr0\niface vmbr0 inet static\n bridge-ports bond0\n address 10.0.0.5/24\n gateway 10.0.0.1\n mtu 9000\n"
                 "auto vmbr0.20\niface vmbr0.20 inet static\n address 10.2.0.5/24\n mtu 1500\n"
                 "auto vmbr1\niface vmbr1 inet manual\n bridge-ports bond0.5\n"
                 "auto vmbr2\niface vmbr2 inet manual\n ovs_type OVSBridge\n ovs_ports eno3 mgmt\n"
                 "auto mgmt\niface mgmt inet static\n ovs_type OVSIntPort\n ovs_bridge vmbr2\n address 10.3.0.5/24\n")),
      IsEmpty());
}

TEST(InterfaceChecksTest, APortHasOneMaster) {
  EXPECT_THAT(
      Check(With("auto vmbr0 vmbr1\niface vmbr0 inet manual\n bridge-ports eno1\niface vmbr1 inet manual\n bridge-ports eno1\n")),
      ElementsAre("error: 'eno1' is a port of 'vmbr0' and cannot be a port of 'vmbr1', too"));
  EXPECT_THAT(
      Check(With("auto bond0 vmbr1\niface bond0 inet manual\n bond-slaves eno1\niface vmbr1 inet manual\n bridge-ports eno1\n")),
      ElementsAre("error: 'eno1' is a slave of 'bond0' and cannot be a port of 'vmbr1', too"));
  EXPECT_THAT(
      Check(With("auto vmbr0\niface vmbr0 inet manual\n bridge-ports eno1\niface vmbr1 inet manual\n bridge-ports eno1\n")),
      ElementsAre(HasSubstr("warning: 'eno1' is a port of 'vmbr0'")));
}

TEST(InterfaceChecksTest, WhatIsNeededIsDefined) {
  EXPECT_THAT(Check("auto vmbr0\niface vmbr0 inet manual\n bridge-ports bond0\n"),
              ElementsAre("error: port 'bond0' of 'vmbr0': there is no iface stanza for 'bond0'"));
  EXPECT_THAT(Check("auto vmbr0.20\niface vmbr0.20 inet manual\n"),
              ElementsAre("error: parent 'vmbr0' of 'vmbr0.20': there is no iface stanza for 'vmbr0'"));
  EXPECT_THAT(Check("auto vmbr0\niface vmbr0 inet manual\n bridge-ports bond7.20\n"),
              ElementsAre("error: port 'bond7.20' of 'vmbr0': there is no iface stanza for 'bond7'"));
  EXPECT_THAT(Check("auto bond0\niface bond0 inet manual\n bond-slaves eno1\n"),
              ElementsAre(HasSubstr("warning: slave 'eno1' of 'bond0': there is no iface stanza for 'eno1'")));
  EXPECT_THAT(Check("auto bond0\niface bond0 inet manual\n"), ElementsAre(HasSubstr("warning: bond 'bond0' has no slaves")));
}

TEST(InterfaceChecksTest, AddressesBelongToTheBridge) {
  EXPECT_THAT(Check("iface eno1 inet static\n address 10.0.0.5/24\niface vmbr0 inet manual\n bridge-ports eno1\n"),
              ElementsAre("warning: 'eno1' has the address 10.0.0.5/24, but is a port of 'vmbr0'; it belongs to 'vmbr0'"));
  EXPECT_THAT(Check("iface eno1 inet dhcp\niface bond0 inet manual\n bond-slaves eno1\n"),
              ElementsAre("warning: 'eno1' has DHCP, but is a slave of 'bond0'; it belongs to 'bond0'"));
}

TEST(InterfaceChecksTest, AnMtuFitsTheLowerInterface) {
  EXPECT_THAT(Check("iface eno1 inet manual\n mtu 1500\niface eno1.5 inet manual\n mtu 9000\n"),
              ElementsAre("error: the mtu 9000 of 'eno1.5' is above the 1500 of its parent 'eno1'"));
  EXPECT_THAT(
      Check("iface eno1 inet manual\niface eno1.5 inet manual\n mtu 9000\n"),
      ElementsAre(HasSubstr("warning: the mtu 9000 of 'eno1.5' is above the 1500 of its parent 'eno1', which says none")));
  EXPECT_THAT(Check("iface eno1 inet manual\n mtu 1500\niface vmbr0 inet manual\n bridge-ports eno1\n mtu 9000\n"),
              ElementsAre("warning: the mtu 9000 of 'vmbr0' is above the 1500 of its port 'eno1'"));
}

TEST(InterfaceChecksTest, TagsAndIdsAreInTheirBounds) {
  for (const char* tag : {"0", "4095", "99999999"}) {
    EXPECT_THAT(Check(absl::StrCat("iface eno1 inet manual\niface eno1.", tag, " inet manual\n")),
                ElementsAre(HasSubstr("error: ")));
  }
  EXPECT_THAT(Check("iface eno1 inet manual\niface nas inet manual\n vlan-raw-device eno1\n"),
              ElementsAre(HasSubstr("error: 'nas' has no VLAN tag from 1 to 4094")));
  EXPECT_THAT(Check("iface x\n vxlan-id 16777216\n"), ElementsAre("error: 'x': vxlan-id is a number from 1 to 16777215"));
}

TEST(InterfaceChecksTest, AVlanIsMadeOnce) {
  EXPECT_THAT(Check(With("auto eno1.5 vlan5\niface eno1.5 inet manual\niface vlan5 inet manual\n vlan-raw-device eno1\n")),
              ElementsAre("error: 'vlan5' is VLAN 5 of 'eno1', which 'eno1.5' is already"));
}

TEST(InterfaceChecksTest, ThereIsOneDefaultGatewayOfAFamily) {
  const std::string one = "auto a b\niface a inet static\n address 10.0.0.5/24\n gateway 10.0.0.1\niface b inet static\n ";
  EXPECT_THAT(Check(one + "address 10.1.0.5/24\n gateway 10.1.0.1\n"),
              ElementsAre(HasSubstr("error: 10.1.0.1 is a second default gateway (IPv4 of 'b'); 'a' has one already")));
  EXPECT_THAT(Check(one + "address 10.1.0.5/24\n gateway 10.1.0.1\n metric 100\n"), IsEmpty());
  EXPECT_THAT(Check(one + "address 10.1.0.5/24\n gateway 10.1.0.1\n vrf mgmt\n"), IsEmpty());
  EXPECT_THAT(Check(one + "address fd00::5/64\n gateway fd00::1\n"), IsEmpty());
}

TEST(InterfaceChecksTest, NothingNeedsItself) {
  EXPECT_THAT(Check("iface a inet manual\n bridge-ports b\niface b inet manual\n bridge-ports c\niface c inet manual\n "
                    "vlan-raw-device a\n vlan-id 5\n"),
              ElementsAre("error: the interfaces need each other in a circle: a -> b -> c -> a"));
  EXPECT_THAT(Check("iface a inet manual\n bridge-ports a\n"),
              ElementsAre("error: the interfaces need each other in a circle: a -> a"));
}

}  // namespace
}  // namespace pvebus::network
