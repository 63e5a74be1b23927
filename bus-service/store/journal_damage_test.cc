// A byte that changed or is gone never becomes a wrong event: it is noticed, or did not matter.
#include "bus-service/store/testing/journal_rig.h"
#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

constexpr Sequence kEvents = 40;
constexpr size_t kBodyBytes = 700;  // several pages

class JournalDamageTest : public testing::Test {
 protected:
  // The bytes of the journal: checkpointed into one file, or as a crash leaves it.
  void Write() {
    auto opened = Open(data_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    Sequence acknowledged = 0;
    opened->log->SaveInterest(1, {0, 0, "event.type = custom"});
    opened->log->SaveProgress(1, {4, 0, {2}});
    opened->log->SaveDelivery(1, MakeDelivery(2));
    opened->log->SaveListener(1, MakeSnapshot("a"));
    ASSERT_TRUE(posts_.Sync(*opened->log).ok());
    for (Sequence sequence = 1; sequence <= kEvents; ++sequence) {
      opened->log->Append(MakeEvent(sequence, kBodyBytes), [&](const absl::Status&) { ++acknowledged; });
      posts_.RunUntil("an acknowledgement", [&] { return acknowledged == sequence; });
    }
    CopyJournal(data_, crashed_);
    opened->log = nullptr;  // checkpoints
    wal_ = ReadFile(crashed_ + "/journal.db-wal");
    crashed_file_ = ReadFile(crashed_ + "/journal.db");
    file_ = ReadFile(data_ + "/journal.db");
    ASSERT_GT(wal_.size(), 0u);
    ASSERT_FALSE(std::filesystem::exists(data_ + "/journal.db-wal"));
    const auto again = Open(data_);
    ASSERT_TRUE(again.ok());
    expected_ = again->recovery;
    ASSERT_EQ(expected_.events.size(), kEvents);
  }
  absl::StatusOr<SqliteEventLog::Opened> Open(const std::string& path) {
    return SqliteEventLog::Open(path, 64 << 20, posts_.Post(), logger_);
  }
  absl::StatusOr<Recovery> Load(const std::string& file, const std::string& wal) {
    std::filesystem::remove_all(damaged_);
    std::filesystem::create_directories(damaged_);
    WriteFile(damaged_ + "/journal.db", file);
    if (!wal.empty()) WriteFile(damaged_ + "/journal.db-wal", wal);
    auto opened = Open(damaged_);
    if (!opened.ok()) return opened.status();
    return opened->recovery;
  }
  // Right, or a named problem.
  void ExpectNothingWrong(const absl::StatusOr<Recovery>& loaded) {
    if (loaded.ok()) {
      EXPECT_TRUE(Same(*loaded, expected_)) << loaded->events.size() << " events, " << loaded->listeners.size() << " listeners";
    } else {
      ++named_;
      EXPECT_NE(loaded.status().message().find("journal.db"), absl::string_view::npos) << loaded.status();
    }
  }

  const TemporaryDirectory directory_;
  const std::string data_ = directory_ / "data";
  const std::string crashed_ = directory_ / "crashed";
  const std::string damaged_ = directory_ / "damaged";
  NullLogger logger_;
  PostQueue posts_;
  std::string file_;
  std::string crashed_file_;
  std::string wal_;
  Recovery expected_;
  int named_ = 0;
};

TEST_F(JournalDamageTest, AFlippedByteInTheFileIsNamedOrHarmless) {
  Write();
  for (size_t at = 0; at < file_.size(); at += at % 8192 < 64 ? 3 : 251) {
    std::string bytes = file_;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x15);
    SCOPED_TRACE(at);
    ExpectNothingWrong(Load(bytes, {}));
    if (HasFailure()) break;
  }
  EXPECT_GT(named_, 0);
}

TEST_F(JournalDamageTest, APageThatForgetsARowIsNamed) {
  Write();
  for (size_t page = 8192; page < file_.size(); page += 8192) {
    for (size_t at = page; at < page + 24; ++at) {
      for (const char change : {1, -1, 8}) {
        std::string bytes = file_;
        bytes[at] = static_cast<char>(bytes[at] + change);
        SCOPED_TRACE(at);
        ExpectNothingWrong(Load(bytes, {}));
      }
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(named_, 0);
}

TEST_F(JournalDamageTest, AFileCutByUpTo64BytesIsNamedOrHarmless) {
  Write();
  for (size_t cut = 1; cut <= 64; ++cut) {
    SCOPED_TRACE(cut);
    ExpectNothingWrong(Load(file_.substr(0, file_.size() - cut), {}));
  }
}

TEST_F(JournalDamageTest, AFileThatLostWholePagesIsNamed) {
  Write();
  for (size_t size = 8192; size + 8192 <= file_.size(); size += 8192) {
    EXPECT_FALSE(Load(file_.substr(0, size), {}).ok()) << size;
  }
}

// What a WAL alone cannot say is whether its last commits were ever acknowledged: a damaged tail reads as one that was never
// finished. What is read is a beginning of what was written, and never anything else.
TEST_F(JournalDamageTest, ADamagedWalNeverYieldsAnEventThatWasNotWritten) {
  Write();
  const auto expect_beginning = [&](const absl::StatusOr<Recovery>& loaded) {
    if (!loaded.ok()) return;
    ASSERT_LE(loaded->events.size(), kEvents);
    for (size_t i = 0; i < loaded->events.size(); ++i) EXPECT_TRUE(Same(*loaded->events[i], *expected_.events[i])) << i;
  };
  for (size_t cut = 1; cut <= 64; ++cut) {
    SCOPED_TRACE(cut);
    const auto loaded = Load(crashed_file_, wal_.substr(0, wal_.size() - cut));
    expect_beginning(loaded);
    if (loaded.ok()) {
      EXPECT_GE(loaded->events.size(), kEvents - 1) << "only the last commit is touched";
    }
  }
  for (size_t at = 0; at < wal_.size(); at += 4099) {
    SCOPED_TRACE(at);
    std::string bytes = wal_;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x15);
    expect_beginning(Load(crashed_file_, bytes));
  }
}

TEST_F(JournalDamageTest, AWholeWalGivesEverythingThatWasAcknowledged) {
  Write();

  const auto loaded = Load(crashed_file_, wal_);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_TRUE(Same(*loaded, expected_));
}

}  // namespace
}  // namespace pvebus::bus
