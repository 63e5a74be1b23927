#include "storage-service/core/section_file.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = SectionLine::Kind;

TEST(SectionFileTest, AHeaderIsATypeAColonAndAnIdFromTheFirstColumn) {
  struct Case {
    std::string_view line, type, id;
  };
  const std::vector<Case> headers = {{"dir: local", "dir", "local"},
                                     {"dir:local", "dir", "local"},
                                     {"dir:  local  ", "dir", "local"},
                                     {"dir:\tlocal\r", "dir", "local"},
                                     {"dir:a:b", "dir:a", "b"},
                                     {"dir: a:b", "dir", "a:b"},
                                     {"dir::", "dir", ":"},
                                     {"DIR: Local", "DIR", "Local"}};
  for (const Case& expected : headers) {
    const SectionFile file = ReadSections(expected.line);

    ASSERT_EQ(file.sections.size(), 1u) << expected.line;
    EXPECT_EQ(file.sections[0].type, expected.type) << expected.line;
    EXPECT_EQ(file.sections[0].id, expected.id) << expected.line;
  }
  for (const std::string_view line : {" dir: local", "dir local", "dir: a b", "dir:", ": local", ":local", "dir : local", "::"}) {
    EXPECT_THAT(ReadSections(line).sections, IsEmpty()) << line;
    EXPECT_EQ(ReadSections(line).strays.size(), 1u) << line;
  }
}

TEST(SectionFileTest, APropertyIsIndentedAndItsValueHasNoBlanksAround) {
  const SectionFile file = ReadSections("dir: aa\n\tpath /a\n  content  images, iso \t\r\n disable\n");

  ASSERT_EQ(file.sections.size(), 1u);
  const auto& lines = file.sections[0].lines;
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].key, "path");
  EXPECT_EQ(lines[0].value, "/a");
  EXPECT_EQ(lines[0].line, 2u);
  EXPECT_EQ(lines[1].value, "images, iso");
  EXPECT_EQ(lines[2].key, "disable");
  EXPECT_EQ(lines[2].value, std::nullopt);
}

TEST(SectionFileTest, ACommentIsAWholeLine) {
  const SectionFile file = ReadSections("#dir: no\ndir: aa\n path /a # b\n");

  ASSERT_EQ(file.sections.size(), 1u);
  EXPECT_EQ(file.sections[0].lines.at(0).value, "/a # b");
}

TEST(SectionFileTest, OnlyAnEmptyLineEndsASection) {
  const SectionFile file = ReadSections("dir: aa\n \t\nnfs: bb\nx\n# comment\n   # comment\n path /a\n\nnfs: cc\n");

  ASSERT_EQ(file.sections.size(), 2u);
  std::vector<Kind> kinds;
  for (const SectionLine& line : file.sections[0].lines) kinds.push_back(line.kind);
  EXPECT_THAT(kinds, ElementsAre(Kind::kBlanks, Kind::kHeader, Kind::kOther, Kind::kProperty));
  EXPECT_EQ(file.sections[0].lines.back().line, 7u) << "comments are counted";
  EXPECT_EQ(file.sections[1].id, "cc");
  EXPECT_EQ(file.sections[1].line, 9u);
}

TEST(SectionFileTest, ALineOfZeroIsEmptyAsItIsForPerl) {
  const SectionFile file = ReadSections("0\ndir: aa\n0\nnfs: bb");

  EXPECT_EQ(file.sections.size(), 2u);
  EXPECT_THAT(file.strays, IsEmpty());
}

TEST(SectionFileTest, WhatStandsInNoSectionIsAStray) {
  const SectionFile file = ReadSections("dir: aa\n\n path /a\n#x\nword\n");

  ASSERT_EQ(file.strays.size(), 2u);
  EXPECT_EQ(file.strays[0].line, 3u);
  EXPECT_EQ(file.strays[1].line, 5u);
}

TEST(SectionFileTest, AListIsSplitAtCommaSemicolonAndBlank) {
  EXPECT_THAT(SplitList(" a,b;c d\t,, e\r"), ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_THAT(SplitList(std::string_view("a\0b", 3)), ElementsAre("a", "b"));
  EXPECT_THAT(SplitList(" ,; "), IsEmpty());
  EXPECT_THAT(SplitList(""), IsEmpty());
}

}  // namespace
}  // namespace pvebus::storage
