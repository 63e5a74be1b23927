#include "sdk/sqlite/row.h"

#include <array>
#include <memory>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::array kColours = {'r', 'g', 'b'};

class SqliteRowTest : public testing::Test {
 protected:
  // What `read` makes of what `sql` finds in things.
  template <typename Read>
  auto Rows(const char* sql, Read read) {
    query_ = *SqliteStatement::Prepare(*database_, sql);
    return ReadRows(*database_, *query_, "things", read);
  }

  const std::unique_ptr<SqliteDatabase> database_ = *SqliteDatabase::Open(":memory:");
  std::unique_ptr<SqliteStatement> query_;
};

TEST_F(SqliteRowTest, RowsAreReadInOrder) {
  const auto colours = Rows("VALUES (2), (0), (1)", [](SqliteRow& row) { return row.OneOf(0, kColours); });

  ASSERT_TRUE(colours.ok()) << colours.status();
  EXPECT_THAT(*colours, ElementsAre('b', 'r', 'g'));
}

TEST_F(SqliteRowTest, RowThatMeansNothingIsNamedByItsFirstColumn) {
  for (const char* sql : {"VALUES ('a', 0), ('b', 3)", "VALUES ('b', -1)", "VALUES ('b', 9223372036854775807)"}) {
    const auto colours = Rows(sql, [](SqliteRow& row) { return row.OneOf(1, kColours); });

    EXPECT_EQ(colours.status().code(), absl::StatusCode::kDataLoss) << sql;
    EXPECT_THAT(std::string(colours.status().message()), HasSubstr("the row b of things means nothing"));
  }
}

TEST_F(SqliteRowTest, NumberOutsideItsRangeMeansNothing) {
  const auto read = [](SqliteRow& row) { return row.From<int>(0, 1, 10); };

  EXPECT_THAT(*Rows("VALUES (1), (10)", read), ElementsAre(1, 10));
  EXPECT_FALSE(Rows("VALUES (0)", read).ok());
  EXPECT_FALSE(Rows("VALUES (11)", read).ok());
}

TEST_F(SqliteRowTest, TimesComeBackToTheNanosecond) {
  const SystemTime time(std::chrono::seconds(1'700'000'000) + std::chrono::nanoseconds(1));
  const auto insert = *SqliteStatement::Prepare(*database_, "SELECT ?1, ?2");
  insert->Bind(1, Nanoseconds(time));
  insert->Bind(2, Nanoseconds(Duration(-5)));
  ASSERT_TRUE(*insert->Step());

  const SqliteRow row(*insert);

  EXPECT_EQ(row.PointInTime(0), time);
  EXPECT_EQ(row.Time(1), Duration(-5));
}

TEST_F(SqliteRowTest, PlaceIsWhatIsReadBack) {
  EXPECT_EQ(PlaceOf(kColours, 'b'), 2);
  EXPECT_EQ(PlaceOf(kColours, 'x'), -1);
}

}  // namespace
}  // namespace pvebus
