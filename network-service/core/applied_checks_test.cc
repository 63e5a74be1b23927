#include "network-service/core/applied_checks.h"

#include <chrono>
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "network-service/core/testing/kernel_builder.h"
#include "network-service/core/testing/memory_files.h"

namespace pvebus::network {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Interfaces Read(const std::string& text) {
  const NetworkConfiguration configuration = Understand(text);
  EXPECT_FALSE(configuration.has_errors) << text;
  return configuration.interfaces;
}

std::vector<std::string> Told(const std::vector<AppliedFinding>& findings) {
  std::vector<std::string> told;
  for (const AppliedFinding& finding : findings) {
    const std::string card = finding.missing_card.empty() ? "" : absl::StrCat("no ", finding.missing_card, "; ");
    told.push_back(absl::StrCat(card, finding.known_limit ? "limit; " : "", finding.message));
  }
  return told;
}

std::vector<std::string> Differences(const std::string& text, const KernelBuilder& kernel) {
  return Told(FindDifferences(Read(text), kernel));
}

std::vector<std::string> Remains(const std::string& before, const std::string& after, const KernelBuilder& kernel) {
  return Told(FindRemains(Diff(Read(before), Read(after)), Read(after), kernel));
}

struct Judged {
  std::vector<std::string> failures;
  std::vector<std::string> warnings;
};
Judged Judge(const std::string& before, const KernelBuilder& kernel_before, const std::string& after,
             const KernelBuilder& kernel_after) {
  const Interfaces old_config = Read(before);
  const Interfaces new_config = Read(after);
  const ReloadVerdict verdict = JudgeReload(old_config, new_config, Diff(old_config, new_config), kernel_before, kernel_after);
  return {Told(verdict.failures), Told(verdict.warnings)};
}

std::string Replaced(const std::string& text, const std::string& what, const std::string& with) {
  EXPECT_NE(text.find(what), std::string::npos) << what;
  return absl::StrReplaceAll(text, {{what, with}});
}

const std::string kNode =  // NOLINT(cert-err58-cpp)
    "auto lo\niface lo inet loopback\n"
    "iface eno1 inet manual\niface eno2 inet manual\n"
    "auto eno3\niface eno3 inet manual\n mtu 9000\n"
    "auto bond0\niface bond0 inet manual\n bond-slaves eno1 eno2\n bond-mode 802.3ad\n"
    "auto vmbr0\niface vmbr0 inet static\n address 10.0.0.5/24\n gateway 10.0.0.1\n bridge-ports bond0\n bridge-vlan-aware yes\n"
    "auto vmbr0.20\niface vmbr0.20 inet static\n address 10.20.0.5/24\n mtu 1400\n"
    "auto vmbr1\niface vmbr1 inet manual\n bridge-ports none\n";

KernelBuilder Node() {
  KernelBuilder kernel;
  kernel.Add("lo").Give("lo", "127.0.0.1/8").Give("lo", "::1/128");
  kernel.Add("eno1").Add("eno2").Add("eno3").SetMtu("eno3", 9000);
  kernel.AddBond("bond0", {"eno1", "eno2"});
  kernel.AddBridge("vmbr0", {"bond0"}, true).Give("vmbr0", "10.0.0.5/24");
  kernel.AddVlan("vmbr0.20", "vmbr0", 20).Give("vmbr0.20", "10.20.0.5/24").SetMtu("vmbr0.20", 1400);
  kernel.AddBridge("vmbr1", {});
  return kernel;
}

TEST(AppliedChecksTest, ANodeThatIsAsConfiguredHasNoFindings) { EXPECT_THAT(Differences(kNode, Node()), IsEmpty()); }

TEST(AppliedChecksTest, GuestsPortsAndForeignAddressesAreNobodysFault) {
  KernelBuilder kernel = Node();
  kernel.Add("tap100i0", "tun").Add("veth101i0", "veth").Add("fwpr102p0", "veth");
  kernel.Enslave("vmbr0", {"tap100i0", "veth101i0"}).Enslave("vmbr1", {"fwpr102p0"});
  kernel.Give("vmbr0", "10.0.0.200/32").Give("vmbr0", "fd00::1/64");

  EXPECT_THAT(Differences(kNode, kernel), IsEmpty());
}

TEST(AppliedChecksTest, WhatIsOtherwiseIsSaidWithWhatItShouldBe) {
  const struct {
    std::function<void(KernelBuilder&)> change;
    std::vector<std::string> findings;
  } kCases[] = {
      {[](auto& k) { k.Remove("vmbr1"); }, {"vmbr1: there is no such bridge"}},
      {[](auto& k) { k.Remove("vmbr0.20"); }, {"vmbr0.20: there is no such VLAN"}},
      {[](auto& k) { k.Remove("eno3"); }, {"no eno3; eno3: there is no such network card"}},
      {[](auto& k) { k.Remove("eno2"); }, {"no eno2; bond0: there is no link eno2, which should be a slave of it"}},
      {[](auto& k) { k.Remove("bond0"); },
       {"bond0: there is no such bond", "vmbr0: there is no link bond0, which should be a port of it"}},
      {[](auto& k) { k.At("vmbr1").kind = "bond"; }, {"vmbr1: it is a bond, not a bridge"}},
      {[](auto& k) { k.At("vmbr0.20").kind = ""; }, {"vmbr0.20: it is a network card, not a VLAN"}},
      {[](auto& k) { k.At("vmbr0.20").kind = "macvlan"; }, {"vmbr0.20: it is a link of kind 'macvlan', not a VLAN"}},
      {[](auto& k) { k.SetUp("vmbr0", false); }, {"vmbr0: it is down, and should be up"}},
      {[](auto& k) { k.SetUp("lo", false); }, {"lo: it is down, and should be up"}},
      {[](auto& k) { k.SetUp("eno3", false); }, {"limit; eno3: it is down, and should be up"}},
      {[](auto& k) { k.Enslave("", {"eno2"}); }, {"bond0: eno2 is not a slave of it"}},
      {[](auto& k) { k.Enslave("vmbr1", {"bond0"}); }, {"vmbr0: bond0 belongs to vmbr1 and is not a port of it"}},
      {[](auto& k) { k.At("vmbr0").vlan_aware = false; }, {"vmbr0: it is not VLAN-aware, and should be"}},
      {[](auto& k) { k.At("vmbr1").vlan_aware = true; }, {"vmbr1: it is VLAN-aware, and should not be"}},
      {[](auto& k) { k.At("vmbr0.20").lower_index = k.At("eno3").index; }, {"vmbr0.20: its parent is eno3, not vmbr0"}},
      {[](auto& k) { k.At("vmbr0.20").lower_index = 0; }, {"vmbr0.20: it has no parent; it should be vmbr0"}},
      {[](auto& k) { k.At("vmbr0.20").tag = 21; }, {"vmbr0.20: its tag is 21, not 20"}},
      {[](auto& k) { k.Take("vmbr0", "10.0.0.5/24"); }, {"vmbr0: it does not have the address 10.0.0.5/24"}},
      {[](auto& k) { k.Take("vmbr0", "10.0.0.5/24").Give("vmbr0", "10.0.0.5/16"); },
       {"vmbr0: its address is 10.0.0.5/16, not 10.0.0.5/24"}},
      {[](auto& k) { k.SetMtu("eno3", 1500); }, {"eno3: its mtu is 1500, not 9000"}},
      {[](auto& k) { k.SetMtu("vmbr0.20", 1500); }, {"vmbr0.20: its mtu is 1500, not 1400"}},
      {[](auto& k) { k.SetMtu("vmbr0.20", 1300).SetMtu("vmbr0", 1300); },
       {"limit; vmbr0.20: its mtu is 1300, not 1400: that of vmbr0 is 1300"}},
  };
  for (const auto& test : kCases) {
    KernelBuilder kernel = Node();
    test.change(kernel);
    EXPECT_EQ(Differences(kNode, kernel), test.findings);
  }
}

TEST(AppliedChecksTest, WhatTheKernelCannotTellIsNotJudged) {
  KernelBuilder kernel;
  kernel.Add("eno1").Add("eno2").Add("vmbr1", "openvswitch").Add("vmbr0", "bridge").AddVlan("eno1.5", "eno1", 5);
  kernel.AddBond("bond0", {"eno1"});
  const std::string kCases[] = {
      "iface vmbr9 inet static\n address 10.0.0.9/24\n",
      "auto vmbr0\niface vmbr0 inet dhcp\n bridge-ports none\n",
      "auto vmbr0\niface vmbr0 inet dhcp\n bridge-ports none\n address 10.0.0.5/24\n",
      "auto vmbr0\niface vmbr0 inet dhcp\n bridge-ports none\n address fd00::5/64\n",
      "auto vmbr0\niface vmbr0 inet manual\n bridge-ports none\niface vmbr0 inet6 auto\n",
      "auto vmbr0\niface vmbr0 inet manual\n bridge-ports glob tap*\n",
      "auto vmbr0\niface vmbr0 inet manual\n bridge-ports regex (eno|ens).*\n",
      "auto vmbr0\niface vmbr0 inet6 static\n bridge-ports none\n address fe80::1/64\n",
      "auto vmbr0\niface vmbr0 inet static\n bridge-ports none\n address 0.0.0.0/0\n",
      "auto ppp0\niface ppp0 inet ppp\n provider dsl\n",
      // An address, and an mtu, of what belongs to a bond.
      "auto eno1\niface eno1 inet static\n address 10.0.0.7/24\n mtu 9000\n",
      // Of Open vSwitch, the mtu, ports and bonds.
      "auto vmbr1\niface vmbr1 inet manual\n ovs-type OVSBridge\n ovs-ports bond1 mgmt\n mtu 9000\n",
      "auto bond1\niface bond1 inet manual\n ovs-type OVSBond\n ovs-bonds eno1 eno2\n ovs-bridge vmbr1\n",
  };
  for (const std::string& text : kCases) EXPECT_THAT(Differences(text, kernel), IsEmpty()) << text;
}

TEST(AppliedChecksTest, WhatShallStayDownMayBeDownAndHaveNoIpv6Address) {
  KernelBuilder kernel;
  kernel.Add("eno1").Give("eno1", "10.0.0.5/24").SetUp("eno1", false);
  kernel.AddVlan("eno1.20", "eno1", 20).SetUp("eno1.20", false);
  const std::string vlan = "auto eno1.20\niface eno1.20 inet manual\n";
  const std::string card = "auto eno1\niface eno1 inet static\n address 10.0.0.5/24\n address fd00::5/64\n";

  EXPECT_THAT(Differences(card + " link-down yes\n" + vlan, kernel), IsEmpty());
  EXPECT_THAT(Differences(card + " link-down no\n" + vlan, kernel),
              ElementsAre("eno1: it is down, and should be up", "eno1: it does not have the address fd00::5/64",
                          "eno1.20: it is down, and should be up"));
}

TEST(AppliedChecksTest, ACardThatNothingUsesMayBeDown) {
  KernelBuilder kernel;
  kernel.Add("eno1").SetUp("eno1", false).AddVlan("eno1.20", "eno1", 20);
  const std::string card = "auto eno1\niface eno1 inet manual\n";

  EXPECT_THAT(Differences(card, kernel), ElementsAre("limit; eno1: it is down, and should be up"));
  EXPECT_THAT(Differences(card + "iface eno1 inet6 auto\n", kernel), ElementsAre("eno1: it is down, and should be up"));
  EXPECT_THAT(Differences(card + "auto eno1.20\niface eno1.20 inet manual\n", kernel),
              ElementsAre("eno1: it is down, and should be up"));
}

TEST(AppliedChecksTest, APortGetsNoAddressEvenWhenItCouldNotBecomeAPort) {
  KernelBuilder kernel;
  kernel.Add("eno1").AddBridge("vmbr0", {});

  EXPECT_THAT(Differences("auto eno1\niface eno1 inet static\n address 10.0.0.5/24\n"
                          "auto vmbr0\niface vmbr0 inet manual\n bridge-ports eno1\n",
                          kernel),
              ElementsAre("vmbr0: eno1 is not a port of it"));
}

TEST(AppliedChecksTest, AddressesAreComparedAsTheKernelKeepsThem) {
  KernelBuilder kernel;
  kernel.Add("eno1").Give("eno1", "10.0.0.5/24").Give("eno1", "10.0.1.5/32").Give("eno1", "fd00::5/64");
  kernel.Add("vrf1", "vrf").Add("eno2").Give("eno2", "10.9.0.1/24").Enslave("vrf1", {"eno2"});
  kernel.Add("lo").Give("lo", "127.0.0.1/8").Give("lo", "10.255.0.1/32");

  EXPECT_THAT(Differences("auto eno1\niface eno1 inet static\n address 10.0.0.5\n netmask 255.255.255.0\n"
                          "iface eno1 inet6 static\n address FD00:0::0005/64\n address fe80::1/64\n"
                          "auto eno1:1\niface eno1:1 inet static\n address 10.0.1.5/32\n"
                          "auto eno2\niface eno2 inet static\n address 10.9.0.1/24\n vrf vrf1\n"
                          "auto lo\niface lo inet loopback\n address 10.255.0.1/32\n",
                          kernel),
              IsEmpty());
  EXPECT_THAT(Differences("auto eno1\niface eno1 inet static\n address 10.0.0.5/32\n pointopoint 10.0.0.1\n", kernel), IsEmpty());
  EXPECT_THAT(Differences("auto eno1:1\niface eno1:1 inet static\n address 10.0.1.6/32\n", kernel),
              ElementsAre("eno1:1: it does not have the address 10.0.1.6/32"));
  EXPECT_THAT(Differences("auto eno1\niface eno1 inet dhcp\niface eno1 inet6 static\n address fd00::6/64\n", kernel),
              ElementsAre("eno1: it does not have the address fd00::6/64"));
  EXPECT_THAT(Differences("auto lo\niface lo inet loopback\n address 10.255.0.2/32\n", kernel),
              ElementsAre("lo: it does not have the address 10.255.0.2/32"));
}

TEST(AppliedChecksTest, OnlyACardsAbsenceIsExcused) {
  KernelBuilder kernel;
  kernel.Add("eno1").Add("vmbr0", "bridge");
  const struct {
    std::string text;
    std::string finding;
  } kCases[] = {
      {"auto eno5\niface eno5 inet manual\n", "no eno5; eno5: there is no such network card"},
      {"auto eno5.20\niface eno5.20 inet manual\n", "no eno5; eno5.20: there is no such VLAN"},
      {"auto eno1.20\niface eno1.20 inet manual\n", "eno1.20: there is no such VLAN"},
      {"auto v20\niface v20 inet manual\n vlan-raw-device eno1\n vlan-id 20\n", "v20: there is no such VLAN"},
      {"auto dum0\niface dum0 inet manual\n link-type dummy\n", "dum0: there is no such link"},
      {"auto vxlan5\niface vxlan5 inet manual\n vxlan-id 5\n", "vxlan5: there is no such VXLAN"},
      {"auto bond3\niface bond3 inet manual\n bond-slaves none\n", "limit; bond3: there is no such bond"},
      {"auto mgmt\niface mgmt inet manual\n ovs-type OVSIntPort\n ovs-bridge vmbr0\n", "mgmt: there is no such OVSIntPort"},
      {"auto vmbr0\niface vmbr0 inet manual\n bridge-ports eno5\n",
       "no eno5; vmbr0: there is no link eno5, which should be a port of it"},
      {"auto vmbr0\niface vmbr0 inet manual\n bridge-ports eno5.7\n",
       "no eno5; vmbr0: there is no link eno5.7, which should be a port of it"},
      {"auto vmbr0\niface vmbr0 inet manual\n bridge-ports eno1.7\n",
       "vmbr0: there is no link eno1.7, which should be a port of it"},
  };
  for (const auto& test : kCases) EXPECT_THAT(Differences(test.text, kernel), ElementsAre(test.finding));
}

TEST(AppliedChecksTest, AVlansParentMayHaveAnotherNameInTheKernel) {
  KernelBuilder kernel;
  kernel.Add("eno1").AddVlan("enp1s0.20", "eno1", 20);

  EXPECT_THAT(Differences("auto enp1s0.20\niface enp1s0.20 inet manual\n", kernel),
              ElementsAre("limit; enp1s0.20: its parent is eno1, not enp1s0"));
}

TEST(AppliedChecksTest, BytesThatAreNoUtf8AreSaidAsQuestionMarks) {
  KernelBuilder kernel = Node();
  kernel.Add("\xff", "bridge").Enslave("\xff", {"eno2"});

  EXPECT_THAT(Differences(kNode, kernel), ElementsAre("bond0: eno2 belongs to ? and is not a slave of it"));
}

TEST(AppliedChecksTest, CirclesOfVlansEndTheSearch) {
  EXPECT_THAT(
      FindDifferences({{"a", {.name = "a", .type = Vlan{"b", 1}, .enabled = true}}, {"b", {.name = "b", .type = Vlan{"a", 2}}}},
                      KernelBuilder()),
      ElementsAre(AppliedFinding{.interface = "a", .message = "a: there is no such VLAN"}));
}

TEST(AppliedChecksTest, WhatIsDeletedIsToBeGone) {
  KernelBuilder kernel = Node();
  kernel.Add("vxlan5", "vxlan");
  const std::string more = kNode + "auto vxlan5\niface vxlan5 inet manual\n vxlan-id 5\n";

  EXPECT_THAT(Remains(more, "auto lo\niface lo inet loopback\n", kernel),
              ElementsAre("bond0: it is still there, and should be gone", "vmbr0: it is still there, and should be gone",
                          "vmbr0.20: it is still there, and should be gone", "vmbr1: it is still there, and should be gone",
                          "vxlan5: it is still there, and should be gone"));
  KernelBuilder gone;
  gone.Add("lo").Add("eno1").Add("eno2").Add("eno3");
  EXPECT_THAT(Remains(more, "auto lo\niface lo inet loopback\n", gone), IsEmpty());
}

TEST(AppliedChecksTest, WhatMayStayIsNotFound) {
  KernelBuilder kernel = Node();
  kernel.AddVlan("eno3.7", "eno3", 7).AddVlan("eno3.7.8", "eno3.7", 8).AddBridge("vmbr2", {"eno3.7.8"});
  kernel.Add("vmbr3", "openvswitch").Add("dum0", "dummy").AddBridge("vmbr4", {"eno3"});
  const std::string bridge = "auto vmbr2\niface vmbr2 inet manual\n bridge-ports eno3.7.8\n";
  const struct {
    std::string because;
    std::string before;
    std::string after;
  } kCases[] = {
      {"needed by another", "auto eno3.7\niface eno3.7 inet manual\n" + bridge, bridge},
      {"was never up", "iface vmbr1 inet manual\n bridge-ports none\n", ""},
      {"Open vSwitch", "auto vmbr3\niface vmbr3 inet manual\n ovs-type OVSBridge\n", ""},
      {"a dummy", "auto dum0\niface dum0 inet manual\n link-type dummy\n", ""},
      {"a card", "auto eno3\niface eno3 inet manual\n", ""},
      {"not touched any more", "auto vmbr0\niface vmbr0 inet static\n bridge-ports bond0\n address 10.0.0.5/24\n",
       "iface vmbr0 inet manual\n bridge-ports none\n"},
      {"taken by a pattern of another", "auto eno3.7.8\niface eno3.7.8 inet manual\n",
       "auto vmbr2\niface vmbr2 inet manual\n bridge-ports glob eno3.7.[8-9]\n"},
      {"taken by a pattern", "auto vmbr4\niface vmbr4 inet manual\n bridge-ports eno3\n",
       "auto vmbr4\niface vmbr4 inet manual\n bridge-ports regex eno[3-9]\n"},
      {"another's port", "auto vmbr1\niface vmbr1 inet manual\n bridge-ports eno3\n",
       "auto vmbr1\niface vmbr1 inet manual\n bridge-ports none\n"},
      {"may be the lease", "auto vmbr0\niface vmbr0 inet static\n address 10.0.0.5/24\n bridge-ports bond0\n",
       "auto vmbr0\niface vmbr0 inet dhcp\n bridge-ports bond0\n"},
      {"not to be purged", "auto vmbr0\niface vmbr0 inet static\n address 10.0.0.5/24\n bridge-ports bond0\n",
       "auto vmbr0\niface vmbr0 inet manual\n address-purge no\n bridge-ports bond0\n"},
      {"another stanza's", "auto vmbr0:1\niface vmbr0:1 inet static\n address 10.0.0.5/24\n",
       "auto vmbr0\niface vmbr0 inet static\n address 10.0.0.5/24\n bridge-ports bond0\n"},
      {"the kernel's own", "auto lo\niface lo inet loopback\n address 127.0.0.1/8\n", "auto lo\niface lo inet loopback\n"},
  };
  for (const auto& test : kCases) EXPECT_THAT(Remains(test.before, test.after, kernel), IsEmpty()) << test.because;
}

TEST(AppliedChecksTest, WhatIsTakenOutOrAwayIsToBeGone) {
  const KernelBuilder kernel = Node();
  const std::string card = "auto eno3\niface eno3 inet manual\n mtu 9000\n";

  EXPECT_THAT(Remains(kNode, Replaced(kNode, "bridge-ports bond0", "bridge-ports eno3"), kernel),
              ElementsAre("vmbr0: bond0 is still a port of it, and should not be"));
  EXPECT_THAT(Remains(kNode, Replaced(kNode, "eno1 eno2", "eno1"), kernel),
              ElementsAre("bond0: eno2 is still a slave of it, and should not be"));
  EXPECT_THAT(Remains(kNode, Replaced(kNode, "10.0.0.5", "10.0.0.6"), kernel),
              ElementsAre("vmbr0: it still has the address 10.0.0.5/24, and should not"));
  EXPECT_THAT(Remains(Replaced(kNode, card, "auto eno3\niface eno3 inet static\n address 10.0.0.7/24\n"),
                      Replaced(kNode, card, ""), Node().Give("eno3", "10.0.0.7/24")),
              ElementsAre("eno3: it still has the address 10.0.0.7/24, and should not"));
}

TEST(AppliedChecksTest, WhatIfupdown2LeavesAloneIsExcused) {
  KernelBuilder kernel = Node();
  kernel.Add("tap100i0", "tun").Enslave("vmbr1", {"tap100i0"});
  const std::string dual = Replaced(kNode, "auto vmbr1\n", "iface vmbr0 inet6 static\n address fd00::5/64\nauto vmbr1\n");

  EXPECT_THAT(Remains("auto vmbr1\niface vmbr1 inet manual\n bridge-ports none\n", "", kernel),
              ElementsAre("limit; vmbr1: it is still there, and should be gone: tap100i0 of a guest is a port of it"));
  EXPECT_THAT(Remains("auto vmbr1\niface vmbr1 inet manual\n bridge-ports tap100i0\n",
                      "auto vmbr1\niface vmbr1 inet manual\n bridge-ports none\n", kernel),
              ElementsAre("limit; vmbr1: tap100i0 is still a port of it, and should not be"));
  EXPECT_THAT(Remains(kNode, Replaced(kNode, "10.0.0.5", "10.0.0.6") + "auto vmbr0:1\niface vmbr0:1 inet manual\n", kernel),
              ElementsAre("limit; vmbr0: it still has the address 10.0.0.5/24, and should not"));
  EXPECT_THAT(Remains(dual, Replaced(dual, "10.0.0.5", "10.0.0.6"), kernel),
              ElementsAre("limit; vmbr0: it still has the address 10.0.0.5/24, and should not"));
}

TEST(JudgeReloadTest, AReloadThatDidItHasNeitherFailuresNorWarnings) {
  const std::string after = Replaced(Replaced(kNode, "10.20.0.5", "10.20.0.6"), "vmbr1", "vmbr2");
  KernelBuilder kernel = Node();
  kernel.Take("vmbr0.20", "10.20.0.5/24").Give("vmbr0.20", "10.20.0.6/24").Remove("vmbr1").AddBridge("vmbr2", {});

  const Judged judged = Judge(kNode, Node(), after, kernel);

  EXPECT_THAT(judged.failures, IsEmpty());
  EXPECT_THAT(judged.warnings, IsEmpty());
}

TEST(JudgeReloadTest, AReloadThatDidNothingFailsForEveryChange) {
  const struct {
    std::string what;
    std::string with;
    std::vector<std::string> failures;
  } kCases[] = {
      {"10.0.0.5/24",
       "10.0.0.5/16",
       {"vmbr0: its address is 10.0.0.5/24, not 10.0.0.5/16", "vmbr0: it still has the address 10.0.0.5/24, and should not"}},
      {"bridge-vlan-aware yes", "bridge-vlan-aware no", {"vmbr0: it is VLAN-aware, and should not be"}},
      {"bridge-ports none", "bridge-ports eno3", {"vmbr1: eno3 is not a port of it"}},
      {"bond-slaves eno1 eno2", "bond-slaves eno1", {"bond0: eno2 is still a slave of it, and should not be"}},
      {"vmbr0.20", "vmbr0.30", {"vmbr0.20: it is still there, and should be gone", "vmbr0.30: there is no such VLAN"}},
      {"iface vmbr0.20 inet static\n", "iface vmbr0.20 inet static\n vlan-id 30\n", {"vmbr0.20: its tag is 20, not 30"}},
      {"iface vmbr0.20 inet static\n",
       "iface vmbr0.20 inet static\n vlan-raw-device eno3\n",
       {"vmbr0.20: its parent is vmbr0, not eno3"}},
      {"mtu 9000", "mtu 1500", {"eno3: its mtu is 9000, not 1500"}},
      {"auto vmbr1", "auto vmbr2\niface vmbr2 inet manual\n bridge-ports none\nauto vmbr1", {"vmbr2: there is no such bridge"}},
      {"auto vmbr1\niface vmbr1 inet manual\n bridge-ports none\n", "", {"vmbr1: it is still there, and should be gone"}},
  };
  for (const auto& test : kCases) {
    const Judged judged = Judge(kNode, Node(), Replaced(kNode, test.what, test.with), Node());
    EXPECT_EQ(judged.failures, test.failures) << test.with;
    EXPECT_THAT(judged.warnings, IsEmpty()) << test.with;
  }
}

TEST(JudgeReloadTest, AReloadThatDidHalfOfItFailsForTheOtherHalf) {
  const std::string after = Replaced(Replaced(kNode, "mtu 9000", "mtu 1500"), "bridge-ports none", "bridge-ports eno3");
  KernelBuilder kernel = Node();
  kernel.Enslave("vmbr1", {"eno3"});

  EXPECT_THAT(Judge(kNode, Node(), after, kernel).failures, ElementsAre("eno3: its mtu is 9000, not 1500"));
}

TEST(JudgeReloadTest, WhatWasBrokenBeforeAndWasNotToBeChangedIsAWarning) {
  const std::string after = Replaced(kNode, "10.20.0.5", "10.20.0.6");
  KernelBuilder before = Node();
  before.Enslave("", {"eno2"}).SetUp("vmbr1", false);
  KernelBuilder kernel = before;
  kernel.Take("vmbr0.20", "10.20.0.5/24").Give("vmbr0.20", "10.20.0.6/24");

  const Judged judged = Judge(kNode, before, after, kernel);

  EXPECT_THAT(judged.failures, IsEmpty());
  EXPECT_THAT(judged.warnings, ElementsAre("bond0: eno2 is not a slave of it", "vmbr1: it is down, and should be up"));
}

TEST(JudgeReloadTest, WhatWasBrokenBeforeAndWasToBeChangedIsAFailure) {
  KernelBuilder broken = Node();
  broken.SetUp("vmbr1", false);

  EXPECT_THAT(Judge(kNode, broken, Replaced(kNode, "bridge-ports none", "bridge-ports none\n bridge-stp off"), broken).failures,
              ElementsAre("vmbr1: it is down, and should be up"));
}

TEST(JudgeReloadTest, WhatTheReloadBrokeIsAFailureWhereverItIs) {
  const std::string after = Replaced(kNode, "10.20.0.5", "10.20.0.6");
  KernelBuilder kernel = Node();
  kernel.Take("vmbr0.20", "10.20.0.5/24").Give("vmbr0.20", "10.20.0.6/24");
  kernel.Remove("vmbr1").Enslave("", {"eno1"}).Take("vmbr0", "10.0.0.5/24");

  EXPECT_THAT(Judge(kNode, Node(), after, kernel).failures,
              ElementsAre("bond0: eno1 is not a slave of it", "vmbr0: it does not have the address 10.0.0.5/24",
                          "vmbr1: there is no such bridge"));
}

TEST(JudgeReloadTest, ACardThatWasNotThereBeforeIsAWarningAndOneThatVanishedAFailure) {
  const std::string after = Replaced(Replaced(kNode, "mtu 9000", "mtu 1500"), "bridge-ports none", "bridge-ports eno7");
  KernelBuilder without = Node();
  without.Remove("eno3");

  const Judged absent = Judge(kNode, without, after, without);
  const Judged vanished = Judge(kNode, Node(), after, without);

  EXPECT_THAT(absent.failures, IsEmpty());
  EXPECT_THAT(absent.warnings, ElementsAre("no eno3; eno3: there is no such network card",
                                           "no eno7; vmbr1: there is no link eno7, which should be a port of it"));
  EXPECT_THAT(vanished.failures, ElementsAre("no eno3; eno3: there is no such network card"));
}

TEST(JudgeReloadTest, WhatIsNewMayNeedCardsThatWereNeverThere) {
  const std::string after = kNode + "auto bond7\niface bond7 inet manual\n bond-slaves eno3 eno7\n";
  KernelBuilder kernel = Node();
  kernel.AddBond("bond7", {"eno3"});

  const Judged made = Judge(kNode, Node(), after, kernel);

  EXPECT_THAT(made.failures, IsEmpty());
  EXPECT_THAT(made.warnings, ElementsAre("no eno7; bond7: there is no link eno7, which should be a slave of it"));
  EXPECT_THAT(Judge(kNode, Node(), after, Node()).failures, ElementsAre("bond7: there is no such bond"));
}

TEST(JudgeReloadTest, WhatTheReloadBroughtBackInPartIsAWarning) {
  KernelBuilder before = Node();
  before.Remove("vmbr1");
  KernelBuilder kernel = Node();
  kernel.SetUp("vmbr1", false).SetMtu("eno3", 1500);

  const Judged judged = Judge(kNode, before, Replaced(kNode, "mtu 9000", "mtu 1500"), kernel);

  EXPECT_THAT(judged.failures, IsEmpty());
  EXPECT_THAT(judged.warnings, ElementsAre("vmbr1: it is down, and should be up"));
}

TEST(JudgeReloadTest, WhatIfupdown2DoesNotDoIsAWarning) {
  const std::string after = Replaced(kNode, "mtu 1400", "mtu 9000");

  const Judged judged = Judge(kNode, Node(), after, Node().SetMtu("vmbr0.20", 1500));

  EXPECT_THAT(judged.failures, IsEmpty());
  EXPECT_THAT(judged.warnings, ElementsAre("limit; vmbr0.20: its mtu is 1500, not 9000: that of vmbr0 is 1500"));
}

TEST(JudgeReloadTest, GuestsThatLostTheirBridgeAreAWarningUnlessTheyOrTheBridgeWent) {
  KernelBuilder before = Node();
  before.Add("tap100i0", "tun")
      .Add("veth101i0", "veth")
      .Add("veth102i0", "veth")
      .Add("veth103i0", "veth")
      .Add("fwpr104p0", "veth");
  before.Enslave("vmbr0", {"tap100i0", "veth101i0", "veth102i0", "veth103i0"}).Enslave("vmbr1", {"fwpr104p0"});
  KernelBuilder after = before;
  after.Enslave("", {"tap100i0", "veth101i0", "fwpr104p0"})
      .AddBridge("fwbr102i0", {"veth102i0"})
      .Remove("veth103i0")
      .Remove("vmbr1");
  const std::string config = Replaced(kNode, "auto vmbr1\niface vmbr1 inet manual\n bridge-ports none\n", "");

  const Judged judged = Judge(kNode, before, config, after);

  EXPECT_THAT(judged.failures, IsEmpty());
  EXPECT_THAT(
      judged.warnings,
      ElementsAre("limit; vmbr0: ports of guests are not in it any more, as ifupdown2 does that is not Proxmox VE's own; put "
                  "them back with `ip link set NAME master vmbr0`: tap100i0 veth101i0"));
}

// With searches among all links for each of them it would be many seconds.
TEST(JudgeReloadTest, ManyInterfacesTakeTimeInProportion) {
  constexpr int kMany = 4'000;
  std::string before;
  NetworkSnapshot snapshot;
  for (int i = 0; i < kMany; ++i) {
    const std::string bridge = absl::StrCat("v", i);
    const std::string vxlan = absl::StrCat("x", i);
    absl::StrAppend(&before, "auto ", vxlan, "\niface ", vxlan, " inet manual\n vxlan-id ", i + 1, "\nauto ", bridge, "\niface ",
                    bridge, " inet static\n bridge-ports ", vxlan, "\n address 10.", i / 250, ".", i % 250, ".1/24\n");
    const int index = 1 + 2 * i;
    snapshot.links.push_back({.index = index, .name = bridge, .kind = "bridge", .up = true});
    snapshot.links.push_back({.index = index + 1, .name = vxlan, .kind = "vxlan", .master_index = index, .up = true});
  }
  const Interfaces old_config = Read(before);
  const Interfaces new_config = Read(Replaced(before, "bridge-ports", "bridge-stp off\n bridge-ports"));
  const auto changes = Diff(old_config, new_config);

  const auto begin = std::chrono::steady_clock::now();
  const ReloadVerdict verdict = JudgeReload(old_config, new_config, changes, snapshot, snapshot);
  const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();

  EXPECT_EQ(verdict.failures.size(), static_cast<size_t>(kMany));  // the addresses
  EXPECT_LT(seconds, 2);
}

}  // namespace
}  // namespace pvebus::network
