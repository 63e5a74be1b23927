#include "cli/table.h"

#include <sstream>

#include "gtest/gtest.h"

namespace pvebus::cli {
namespace {

std::string Printed(const Table& table) {
  std::ostringstream out;
  table.Print(out);
  return out.str();
}

TEST(TableTest, ColumnsAreAsWideAsTheirWidestCell) {
  Table table({"NAME", "STATE", "N"});
  table.Add({"a", "SUCCEEDED", "1"});
  table.Add({"longer-name", "OK", "22"});

  EXPECT_EQ(Printed(table),
            "NAME         STATE      N\n"
            "a            SUCCEEDED  1\n"
            "longer-name  OK         22\n");
}

TEST(TableTest, ColumnsWithoutContentAreLeftOut) {
  Table table({"NAME", "ERROR", "N"});
  table.Add({"a", "", "1"});
  table.Add({"b"});

  EXPECT_EQ(Printed(table), "NAME  N\na     1\nb\n");
}

TEST(TableTest, WidthCountsCharactersNotBytes) {
  Table table({"NAME", "N"});
  table.Add({"\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f", "1"});

  EXPECT_EQ(Printed(table), "NAME  N\n\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f  1\n");
}

TEST(TableTest, TextFromElsewhereCannotSteerTheTerminal) { EXPECT_EQ(Printable("a\x1b[31mb\nc\td"), "a\\x1b[31mb\\nc d"); }

}  // namespace
}  // namespace pvebus::cli
