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

TEST(TableTest, ALineBelowARowWidensNoColumn) {
  Table table({"NAME", "N"});
  table.Add({"a", "1"});
  table.AddBelow("  | much longer than\nits row  ");
  table.Add({"b", "2"});

  EXPECT_EQ(Printed(table), "NAME  N\na     1\n  | much longer than\\nits row\nb     2\n");
}

TEST(TableTest, TextFromElsewhereCannotSteerTheTerminal) {
  EXPECT_EQ(Printable("a\x1b[31mb\nc\td"), "a\\x1b[31mb\\nc d");
  // The same escape in one character, U+009B; a neighbour of it in the table of bytes is harmless.
  EXPECT_EQ(Printable("a\xc2\x9b"
                      "31mb \xc2\xb5s \xc3\xa9"),
            "a\\x9b31mb \xc2\xb5s \xc3\xa9");
}

}  // namespace
}  // namespace pvebus::cli
