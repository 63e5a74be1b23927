#include "network-service/core/config_change.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "network-service/core/testing/memory_files.h"

namespace pvebus::network {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<ConfigChange> ChangesOf(const std::string& before, const std::string& after) {
  return Diff(Understand(before).interfaces, Understand(after).interfaces);
}

std::vector<std::string> DescriptionsOf(const std::string& before, const std::string& after) {
  std::vector<std::string> descriptions;
  for (const ConfigChange& change : ChangesOf(before, after)) descriptions.push_back(change.description);
  return descriptions;
}

constexpr const char* kBridge =
    "auto vmbr0\niface vmbr0 inet static\n\taddress 192.168.1.10/24\n\tgateway 192.168.1.1\n\tbridge-ports eno1\n\tbridge-stp "
    "off\n"
    "\tbridge-fd 0\n";

TEST(ConfigChangeTest, ABridgeThatMovesOntoABond) {
  EXPECT_THAT(DescriptionsOf(
                  absl::StrCat("iface eno1 inet manual\n", kBridge),
                  "iface eno1 inet manual\niface eno2 inet manual\n"
                  "auto bond0\niface bond0 inet manual\n\tbond-slaves eno1 eno2\n\tbond-mode active-backup\n"
                  "auto vmbr0\niface vmbr0 inet static\n\taddress 192.168.1.10/24\n\tgateway 192.168.1.1\n\tbridge-ports bond0\n"
                  "\tbridge-stp off\n\tbridge-fd 0\n\tbridge-vlan-aware yes\n\tbridge-vids 2-4094\n"
                  "auto vmbr0.20\niface vmbr0.20 inet static\n\taddress 10.20.0.5/24\n"),
              ElementsAre("vmbr0: ports eno1 -> bond0, VLAN-aware on, bridge-vids none -> 2-4094",
                          "bond0: new bond, slaves eno1 eno2, mode active-backup", "eno2: new network card, not at boot",
                          "vmbr0.20: new VLAN, tag 20, parent vmbr0, address 10.20.0.5/24"));
}

TEST(ConfigChangeTest, R11CommentsOrderAndSpellingAreNoChanges) {
  EXPECT_THAT(ChangesOf(absl::StrCat("iface eno1 inet manual\n", kBridge),
                        "# moved\niface vmbr0 inet static\n  bridge_fd 0\n  bridge_stp off\n  bridge_ports\teno1\n"
                        "  netmask 255.255.255.0\n  gateway 192.168.1.1\n  address 192.168.1.10\n\nauto vmbr0\n"
                        "iface eno1 inet manual\n"),
              IsEmpty());
  EXPECT_THAT(ChangesOf("iface bond0 inet manual\n slaves a b\n", "iface bond0 inet manual\n bond-slaves b a\n bond-mode 0\n"),
              IsEmpty());
}

TEST(ConfigChangeTest, R12R14DeletesUpdatesCreatesByName) {
  const auto changes =
      ChangesOf("iface b inet manual\niface a inet manual\niface u inet manual\niface t inet manual\niface same inet manual\n",
                "iface d inet manual\niface c inet manual\niface u inet dhcp\niface t inet dhcp\niface same inet manual\n");

  std::vector<std::pair<ChangeType, std::string>> order;
  for (const ConfigChange& change : changes) order.emplace_back(change.type, change.target);
  EXPECT_THAT(order, ElementsAre(std::pair(ChangeType::kDelete, "a"), std::pair(ChangeType::kDelete, "b"),
                                 std::pair(ChangeType::kUpdate, "t"), std::pair(ChangeType::kUpdate, "u"),
                                 std::pair(ChangeType::kCreate, "c"), std::pair(ChangeType::kCreate, "d")));
  EXPECT_FALSE(changes[0].new_config);
  EXPECT_FALSE(changes[5].old_config);
  EXPECT_EQ(changes[2].old_config->method, Method::kManual);
  EXPECT_EQ(changes[2].new_config->method, Method::kDhcp);
}

TEST(ConfigChangeTest, R12RenumberingIsADeleteAndACreate) {
  EXPECT_THAT(DescriptionsOf("auto vmbr0.20\niface vmbr0.20 inet manual\n", "auto vmbr0.30\niface vmbr0.30 inet manual\n"),
              ElementsAre("vmbr0.20: VLAN removed, tag 20, parent vmbr0", "vmbr0.30: new VLAN, tag 30, parent vmbr0"));
}

TEST(ConfigChangeTest, UpdatesAreToldInAnOperatorsWords) {
  const struct {
    const char* before;
    const char* after;
    const char* description;
  } cases[] = {
      {"iface x inet manual\n", "auto x\niface x inet manual\n", "x: at boot on"},
      {"auto x\niface x inet manual\n", "iface x inet manual\n", "x: at boot off"},
      {"iface x inet manual\n", "iface x inet dhcp\niface x inet6 auto\n",
       "x: IPv4 method manual -> dhcp, IPv6 method none -> auto"},
      {"iface x inet static\n address 10.0.0.1/24\n", "iface x inet static\n address 10.0.0.2/24\n address 10.0.1.1/24\n",
       "x: address 10.0.0.1/24 -> 10.0.0.2/24 10.0.1.1/24"},
      {"iface x inet static\n gateway 10.0.0.1\n mtu 1500\n", "iface x inet static\n gateway fd00::1\n mtu 9000\n",
       "x: gateway 10.0.0.1 -> none, IPv6 gateway none -> fd00::1, mtu 1500 -> 9000"},
      {"iface x inet manual\n", "iface x inet manual\n bridge-ports a\n bridge-vlan-aware 1\n",
       "x: network card -> bridge, ports none -> a, VLAN-aware on"},
      {"iface x inet manual\n up a\n", "iface x inet manual\n up a\n up b\n", "x: up a -> a; b"},
      {"iface bond0 inet manual\n bond-mode 1\n bond-miimon 100\n", "iface bond0 inet manual\n bond-mode 4\n",
       "bond0: mode active-backup -> 802.3ad, bond-miimon 100 -> none"},
      {"iface nas inet manual\n vlan-raw-device a\n vlan-id 1\n", "iface nas inet manual\n vlan-raw-device b\n vlan-id 2\n",
       "nas: tag 1 -> 2, parent a -> b"},
  };
  for (const auto& one : cases) EXPECT_THAT(DescriptionsOf(one.before, one.after), ElementsAre(one.description));
}

TEST(ConfigChangeTest, TheOrderOfAddressesIsAChange) {
  EXPECT_EQ(ChangesOf("iface x inet static\n address 10.0.0.1/24\n address 10.0.0.2/24\n",
                      "iface x inet static\n address 10.0.0.2/24\n address 10.0.0.1/24\n")
                .size(),
            1u);
}

TEST(ConfigChangeTest, ANewSideWithErrorsChangesNothing) {
  const NetworkDiff diff = Compare(Understand(kBridge), Understand("iface vmbr0 inet static\n\taddress nowhere\n"));

  EXPECT_FALSE(diff.accepted);
  EXPECT_THAT(diff.changes, IsEmpty());
  ASSERT_EQ(diff.diagnostics.size(), 1u);
  EXPECT_EQ(diff.diagnostics[0].severity, Severity::kError);
}

TEST(ConfigChangeTest, InterfacesThatDoNotFitTogetherRefuseToo) {
  EXPECT_FALSE(Compare(Understand(kBridge), Understand("iface eno1.5000 inet manual\niface eno1 inet manual\n")).accepted);
}

TEST(ConfigChangeTest, ErrorsOfTheOldSideAreWarnings) {
  const NetworkDiff diff = Compare(Understand("iface x inet manual\n\tmtu many\n"), Understand("iface x inet manual\n"));

  EXPECT_TRUE(diff.accepted);
  ASSERT_EQ(diff.diagnostics.size(), 1u);
  EXPECT_EQ(diff.diagnostics[0].severity, Severity::kWarning);
  EXPECT_THAT(diff.diagnostics[0].message, HasSubstr("in the old configuration"));
}

TEST(ConfigChangeTest, LongValuesAreCutInDescriptions) {
  const auto descriptions =
      DescriptionsOf("iface x inet manual\n", absl::StrCat("iface x inet manual\n up ", std::string(100'000, 'a'), "\n"));

  ASSERT_EQ(descriptions.size(), 1u);
  EXPECT_LT(descriptions[0].size(), 200u);
  EXPECT_TRUE(descriptions[0].ends_with("aaa...")) << descriptions[0];
}

}  // namespace
}  // namespace pvebus::network
