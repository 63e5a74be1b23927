#include "network-service/core/interfaces_lines.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::network {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> TextsOf(std::string_view text) {
  std::vector<std::string> texts;
  for (const InterfacesLine& line : ReadLines(text)) texts.push_back(line.text);
  return texts;
}

TEST(InterfacesLinesTest, CommentsAndBlanksAroundGo) {
  EXPECT_THAT(TextsOf("  auto lo \t\r\n# auto eno1\n\t# x\n\n \t\n\tmtu 1500"), ElementsAre("auto lo", "mtu 1500"));
  EXPECT_THAT(TextsOf(""), IsEmpty());
}

TEST(InterfacesLinesTest, ThereIsNoCommentAtTheEndOfALine) {
  EXPECT_THAT(TextsOf("auto lo # loopback\n"), ElementsAre("auto lo # loopback"));
}

TEST(InterfacesLinesTest, ABackslashAtTheEndJoinsLines) {
  EXPECT_THAT(TextsOf("auto a \\\n  b\\\r\n\tc\nmtu 1\n"), ElementsAre("auto a   b\tc", "mtu 1"));
  EXPECT_THAT(TextsOf("up a\\"), ElementsAre("up a"));
}

TEST(InterfacesLinesTest, ACommentDoesNotGoOn) { EXPECT_THAT(TextsOf("# auto a \\\nmtu 1\n"), ElementsAre("mtu 1")); }

TEST(InterfacesLinesTest, ALineHasTheNumberOfItsFirstOne) {
  const auto lines = ReadLines("\n# c\nauto a \\\nb\n\nmtu 1\n");

  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].number, 3u);
  EXPECT_EQ(lines[1].number, 6u);
  EXPECT_TRUE(lines[1].after_blank_line);
}

TEST(InterfacesLinesTest, BlanksAreOneBlankOutsideOfQuotes) {
  EXPECT_EQ(WithSingleBlanks("a \t b"), "a b");
  EXPECT_EQ(WithSingleBlanks("echo \"a  b\"\t 'c\t\"d'  e"), "echo \"a  b\" 'c\t\"d' e");
  EXPECT_EQ(WithSingleBlanks("it's  open"), "it's  open");
  EXPECT_EQ(WithSingleBlanks("a\\\"  b"), "a\\\" b");
}

}  // namespace
}  // namespace pvebus::network
