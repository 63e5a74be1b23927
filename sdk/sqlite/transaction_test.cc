#include "sdk/sqlite/transaction.h"

#include <string>

#include "gtest/gtest.h"

namespace pvebus {
namespace {

class SqliteTransactionTest : public testing::Test {
 protected:
  SqliteTransactionTest() { EXPECT_TRUE(database_->Execute("CREATE TABLE things (thing INTEGER UNIQUE)").ok()); }

  int64_t things() { return *database_->QueryNumber("SELECT count(*) FROM things"); }
  absl::Status Insert() { return database_->Execute("INSERT INTO things VALUES (1)"); }

  const std::unique_ptr<SqliteDatabase> database_ = *SqliteDatabase::Open(":memory:");
};

TEST_F(SqliteTransactionTest, IsKeptWhenItEndsWell) {
  {
    SqliteTransaction transaction(*database_);
    ASSERT_TRUE(transaction.Begin().ok());

    EXPECT_TRUE(transaction.End(Insert()).ok());
  }

  EXPECT_FALSE(database_->in_transaction());
  EXPECT_EQ(things(), 1);
}

TEST_F(SqliteTransactionTest, NothingIsKeptWhenItEndsBadly) {
  SqliteTransaction transaction(*database_);
  ASSERT_TRUE(transaction.Begin().ok());
  ASSERT_TRUE(Insert().ok());

  const absl::Status ended = transaction.End(absl::InternalError("no"));

  EXPECT_EQ(ended.message(), "no");
  EXPECT_FALSE(database_->in_transaction());
  EXPECT_EQ(things(), 0);
}

TEST_F(SqliteTransactionTest, NothingIsKeptWhenItDoesNotEnd) {
  {
    SqliteTransaction transaction(*database_);
    ASSERT_TRUE(transaction.Begin().ok());
    ASSERT_TRUE(Insert().ok());
  }

  EXPECT_FALSE(database_->in_transaction());
  EXPECT_EQ(things(), 0);
}

TEST_F(SqliteTransactionTest, NothingIsKeptWhenTheDiskIsFull) {
  ASSERT_TRUE(database_->Execute("CREATE TABLE bytes (bytes BLOB); PRAGMA max_page_count = 10").ok());
  SqliteTransaction transaction(*database_);
  ASSERT_TRUE(transaction.Begin().ok());
  ASSERT_TRUE(Insert().ok());

  const absl::Status ended = transaction.End(database_->Execute("INSERT INTO bytes VALUES (zeroblob(1000000))"));

  EXPECT_EQ(ended.code(), absl::StatusCode::kResourceExhausted) << ended;
  EXPECT_FALSE(database_->in_transaction());
  EXPECT_EQ(things(), 0);
}

TEST_F(SqliteTransactionTest, OneInsideAnotherIsRefusedAndLeavesItAlone) {
  SqliteTransaction outer(*database_);
  ASSERT_TRUE(outer.Begin().ok());
  ASSERT_TRUE(Insert().ok());

  {
    SqliteTransaction inner(*database_);
    EXPECT_FALSE(inner.End(inner.Begin()).ok());
  }

  EXPECT_TRUE(outer.End(absl::OkStatus()).ok());
  EXPECT_EQ(things(), 1);
}

}  // namespace
}  // namespace pvebus
