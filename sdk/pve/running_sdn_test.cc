#include "sdk/pve/running_sdn.h"

#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "tests/support/temporary_directory.h"

namespace pvebus::pve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

// As a node has it: numbers come as numbers and as text.
constexpr std::string_view kRunning = R"({"version":7,
  "controllers":{"ids":{}},"subnets":{"ids":{"blue-10.1.0.0-24":{"type":"subnet","vnet":"blue"}}},
  "zones":{"ids":{"office":{"type":"vlan","bridge":"vmbr0","mtu":"1496","ipam":"pve"},"local":{"type":"simple"}}},
  "vnets":{"ids":{"blue":{"type":"vnet","zone":"office","tag":"120"},"green":{"zone":"office","tag":130,"vlanaware":1},
                  "nat":{"type":"vnet","zone":"local"},"lost":{"zone":"gone"}}}})";

TEST(RunningSdnTest, AVnetHasItsTagAndWhatItsZoneSays) {
  const auto vnets = ParseRunningSdn(kRunning);

  ASSERT_TRUE(vnets.ok()) << vnets.status();
  EXPECT_THAT(
      *vnets,
      ElementsAre(Pair("blue", Vnet{.zone = "office", .tag = 120, .zone_type = "vlan", .zone_bridge = "vmbr0", .zone_mtu = 1496}),
                  Pair("green", Vnet{.zone = "office",
                                     .tag = 130,
                                     .vlan_aware = true,
                                     .zone_type = "vlan",
                                     .zone_bridge = "vmbr0",
                                     .zone_mtu = 1496}),
                  Pair("lost", Vnet{.zone = "gone"}), Pair("nat", Vnet{.zone = "local", .zone_type = "simple"})));
}

TEST(RunningSdnTest, WhatIsMissingOrOddIsPassedOver) {
  for (const char* json : {"{}", R"({"vnets":null})", R"({"vnets":{}})", R"({"vnets":{"ids":null}})", R"({"vnets":{"ids":{}}})",
                           R"({"vnets":{"ids":{"a":7,"b":null,"c":["x"]}}})"}) {
    const auto vnets = ParseRunningSdn(json);

    ASSERT_TRUE(vnets.ok()) << json << ": " << vnets.status();
    EXPECT_THAT(*vnets, IsEmpty()) << json;
  }
  const auto vnets = ParseRunningSdn(R"({"vnets":{"ids":{"a":{"zone":5,"tag":"x1"},"b":{"tag":-3},"c":{"tag":""}}}})");
  ASSERT_TRUE(vnets.ok());
  EXPECT_THAT(*vnets, ElementsAre(Pair("a", Vnet{}), Pair("b", Vnet{}), Pair("c", Vnet{})));
}

TEST(RunningSdnTest, DamageIsAnErrorThatSaysWhat) {
  for (const char* json :
       {"", "{", "[]", "7", R"({"vnets":[]})", R"({"vnets":{"ids":[]}})", R"({"zones":3})", "{\"a\":\"\xff\"}"}) {
    const auto vnets = ParseRunningSdn(json);

    EXPECT_EQ(ErrorReason(vnets.status()), "SDN_CONFIG_INVALID") << json;
  }
  EXPECT_THAT(std::string(ParseRunningSdn(R"({"vnets":[]})").status().message()), HasSubstr("'vnets' is no object"));
}

TEST(RunningSdnTest, DeepNestingDoesNotHarm) {
  const std::string deep = R"({"x":)" + std::string(1'000'000, '[') + std::string(1'000'000, ']') + "}";

  EXPECT_TRUE(ParseRunningSdn(deep).ok());
}

TEST(RunningSdnTest, TheFileIsReadFromItsFolder) {
  const testing::TemporaryDirectory directory;
  EXPECT_THAT(*ReadRunningSdn(directory.path()), IsEmpty()) << "a node that never used SDN";

  std::ofstream(directory.path() + "/.running-config") << kRunning;
  EXPECT_EQ(ReadRunningSdn(directory.path())->size(), 4u);
}

TEST(RunningSdnTest, WhatIsNoFileOrTooLargeIsAnError) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.path() + "/.running-config";
  std::filesystem::create_directory(path);
  EXPECT_EQ(ErrorReason(ReadRunningSdn(directory.path()).status()), "SDN_CONFIG_UNREADABLE");

  std::filesystem::remove(path);
  std::ofstream(path).close();
  std::filesystem::resize_file(path, 17 << 20);
  const absl::Status too_large = ReadRunningSdn(directory.path()).status();
  EXPECT_EQ(ErrorReason(too_large), "SDN_CONFIG_UNREADABLE");
  EXPECT_THAT(std::string(too_large.message()), HasSubstr("more than"));
}

}  // namespace
}  // namespace pvebus::pve
