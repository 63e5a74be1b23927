#include "cli/event_input.h"

#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::cli {
namespace {

using testing::HasSubstr;

template <typename T>
std::string ErrorOf(const absl::StatusOr<T>& result) {
  return result.ok() ? "no error" : std::string(result.status().message());
}

TEST(EventInputTest, TextComesFromTheArgumentAFileOrStandardInput) {
  std::istringstream standard_input("from stdin");
  const std::string path = testing::TempDir() + "/pvebus_event_input_test.json";
  std::ofstream(path) << "from file";

  EXPECT_EQ(ReadSource("{}", standard_input).value(), "{}");
  EXPECT_EQ(ReadSource("@" + path, standard_input).value(), "from file");
  EXPECT_EQ(ReadSource("-", standard_input).value(), "from stdin");
}

TEST(EventInputTest, AFileThatCannotBeReadIsNamed) {
  std::istringstream none;

  EXPECT_THAT(ErrorOf(ReadSource("@/no/such/file", none)), HasSubstr("cannot read '/no/such/file': No such file"));
  EXPECT_THAT(ErrorOf(ReadSource("@/", none)), HasSubstr("cannot read '/'"));
}

TEST(EventInputTest, AChangeIsTypeTargetAndDescription) {
  const auto change = ParseChange("update:vmbr0:VLAN-aware: yes");

  ASSERT_TRUE(change.ok()) << change.status();
  EXPECT_EQ(change->change_type(), event::v1::CHANGE_TYPE_UPDATE);
  EXPECT_EQ(change->target(), "vmbr0");
  EXPECT_EQ(change->description(), "VLAN-aware: yes");
  EXPECT_EQ(ParseChange("create:vmbr1").value().target(), "vmbr1");
}

TEST(EventInputTest, AChangeThatIsNoneIsExplained) {
  EXPECT_THAT(ErrorOf(ParseChange("vmbr1")), HasSubstr("TYPE:TARGET"));
  EXPECT_THAT(ErrorOf(ParseChange("create:")), HasSubstr("TYPE:TARGET"));
  EXPECT_THAT(ErrorOf(ParseChange("create::x")), HasSubstr("TYPE:TARGET"));
  EXPECT_THAT(ErrorOf(ParseChange("crate:vmbr1")), HasSubstr("'create'?"));
}

TEST(EventInputTest, AFileOfChangesIsTheListOfTheOriginalForm) {
  const auto event = EventFromChangesJson(R"([{"change_type":"create","target":"vmbr1","new_config":{"name":"vmbr1"}}])");

  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(event->network_applied().changes_size(), 1);
  EXPECT_THAT(ErrorOf(EventFromChangesJson("{}")), HasSubstr("changes: found an object, expected a list"));
  EXPECT_THAT(ErrorOf(EventFromChangesJson(R"([],"event":"custom")")), HasSubstr("twice"));
}

TEST(EventInputTest, TheDataOfACustomEventIsAnObject) {
  EXPECT_EQ(CustomEvent("x", R"({"guest":101})")->custom().data().at("guest").number_value(), 101);
  EXPECT_TRUE(CustomEvent("x", "").ok());
  EXPECT_THAT(ErrorOf(CustomEvent("x", "[1]")), HasSubstr("data: found a list"));
  EXPECT_THAT(ErrorOf(CustomEvent("x", "{guest}")), HasSubstr("data: not JSON"));
}

}  // namespace
}  // namespace pvebus::cli
