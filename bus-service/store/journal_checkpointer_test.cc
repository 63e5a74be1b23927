#include "bus-service/store/journal_checkpointer.h"

#include <filesystem>

#include "bus-service/store/testing/log_driver.h"
#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

constexpr size_t kBodyBytes = 60'000;
constexpr Sequence kEventsAtOnce = 50;

// Through SqliteEventLog, which is how the bus has it.
class JournalCheckpointerTest : public testing::Test {
 protected:
  JournalCheckpointerTest() { EXPECT_TRUE(driver_.Open().ok()); }

  // So many more MiB of events; how long the WAL was at most, in bytes.
  int64_t Write(int64_t mib) {
    int64_t longest = 0;
    for (int64_t bytes = 0; bytes < mib << 20; bytes += static_cast<int64_t>(kEventsAtOnce * kBodyBytes)) {
      driver_.Append(next_, next_ + kEventsAtOnce - 1, kBodyBytes);
      next_ += kEventsAtOnce;
      longest = std::max(longest, WalBytes());
    }
    return longest;
  }
  int64_t WalBytes() const { return static_cast<int64_t>(std::filesystem::file_size(driver_.directory() + "/journal.db-wal")); }

  const TemporaryDirectory directory_;
  LogDriver driver_{directory_ / "data"};
  Sequence next_ = 1;
};

TEST_F(JournalCheckpointerTest, TheWalHasItsRoomFromTheStart) {
  EXPECT_EQ(WalBytes(), JournalCheckpointer::kRoomBytes);
  Write(1);
  EXPECT_EQ(WalBytes(), JournalCheckpointer::kRoomBytes);
}

TEST_F(JournalCheckpointerTest, CommitsWithoutAPauseLetTheWalBeginAgainLongBeforeTheWriterHasToWait) {
  int64_t written = 0;
  while (written < int64_t{2} * JournalCheckpointer::kMostPages) {  // a commit is two pages at least
    driver_.Append(next_, next_, 200);
    ASSERT_TRUE(driver_.Sync().ok());
    ++next_;
    written += 2;
  }
  EXPECT_LT(WalBytes(), int64_t{JournalCheckpointer::kMostPages} * 8192);
}

TEST_F(JournalCheckpointerTest, ReadersThatNeverRestDoNotLetTheWalGrowBeyondItsBound) {
  Write(30);
  bool reading = true;
  uint64_t counted = 0;
  std::function<void()> read_on = [&] {
    driver_.log().Count(
        1, next_, [](const Event&) { return true; },
        [&](const absl::StatusOr<uint64_t>& count) {
          ++counted;
          EXPECT_TRUE(count.ok()) << count.status();
          if (reading) read_on();
        });
  };
  read_on();

  EXPECT_LT(Write(150), JournalCheckpointer::kWalBytes);

  reading = false;
  const uint64_t before = counted;
  driver_.posts().RunUntil("the last count", [&] { return counted > before; });
  EXPECT_GT(counted, 1u) << "somebody was reading all the time";
  EXPECT_EQ(driver_.Logged("journal_wal_held"), 0);
}

TEST_F(JournalCheckpointerTest, AForeignTransactionThatDoesNotEndIsToldAndWhatItCostIsGivenBack) {
  Write(1);
  auto foreign = *SqliteDatabase::Open(driver_.directory() + "/journal.db");
  ASSERT_TRUE(foreign->Execute("BEGIN; SELECT count(*) FROM journal").ok());

  const auto begin = std::chrono::steady_clock::now();
  const int64_t longest = Write(100);
  const auto took = std::chrono::steady_clock::now() - begin;

  EXPECT_GT(longest, JournalCheckpointer::kWalBytes) << "else this proves nothing";
  EXPECT_EQ(driver_.Logged("journal_wal_held"), 1);
  EXPECT_LT(took, std::chrono::seconds(20)) << "commits do not wait for it";
  ASSERT_TRUE(foreign->Execute("COMMIT").ok());
  Write(20);
  EXPECT_LE(WalBytes(), JournalCheckpointer::kWalBytes);
}

}  // namespace
}  // namespace pvebus::bus
