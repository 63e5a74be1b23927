#include "bus-service/store/sqlite_event_log.h"

#include <sys/stat.h>

#include "bus-service/store/journal_schema.h"
#include "bus-service/store/testing/journal_rig.h"
#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

constexpr size_t kMaxBytes = 64 << 20;

class SqliteEventLogTest : public testing::Test {
 protected:
  absl::StatusOr<SqliteEventLog::Opened> Open(const std::string& path) {
    return SqliteEventLog::Open(path, kMaxBytes, posts_.Post(), logger_);
  }
  // Appends events `first` to `last` and waits until they are durable.
  void Append(SqliteEventLog& log, Sequence first, Sequence last, size_t body_bytes = 40) {
    for (Sequence sequence = first; sequence <= last; ++sequence) {
      log.Append(MakeEvent(sequence, body_bytes), [this](const absl::Status& status) {
        EXPECT_TRUE(status.ok()) << status;
        ++acknowledged_;
      });
    }
    const Sequence target = acknowledged_ + last - first + 1;
    posts_.RunUntil("acknowledgements", [&] { return acknowledged_ == target; });
  }
  static void ExpectEvents(const Recovery& recovery, Sequence last, size_t body_bytes = 40) {
    ASSERT_EQ(recovery.events.size(), last);
    for (Sequence sequence = 1; sequence <= last; ++sequence) {
      EXPECT_TRUE(Same(*recovery.events[sequence - 1], *MakeEvent(sequence, body_bytes))) << sequence;
    }
  }

  const TemporaryDirectory directory_;
  const std::string data_ = directory_ / "data";
  NullLogger logger_;
  PostQueue posts_;
  Sequence acknowledged_ = 0;
};

TEST_F(SqliteEventLogTest, DirectoryAndFilesAreForTheirOwnerOnly) {
  auto opened = Open(directory_ / "deep/er/data");
  ASSERT_TRUE(opened.ok()) << opened.status();
  Append(*opened->log, 1, 1);

  const auto mode = [&](const std::string& name) {
    struct stat info {};
    EXPECT_EQ(stat((directory_ / ("deep/er/data" + name)).c_str(), &info), 0) << name;
    return info.st_mode & 0777;
  };
  EXPECT_EQ(mode(""), 0700u);
  for (const char* name : {"/journal.db", "/journal.db-wal", "/lock"}) EXPECT_EQ(mode(name), 0600u) << name;
}

TEST_F(SqliteEventLogTest, TheSecondBusInADirectoryIsToldSo) {
  auto first = Open(data_);
  ASSERT_TRUE(first.ok());

  const absl::Status second = Open(data_).status();
  EXPECT_EQ(second.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(second.message().find(data_), absl::string_view::npos) << second;
  first->log = nullptr;
  EXPECT_TRUE(Open(data_).ok()) << "the first has left";
}

TEST_F(SqliteEventLogTest, AnEmptyFileIsAJournalWithoutEvents) {
  std::filesystem::create_directories(data_);
  WriteFile(data_ + "/journal.db", "");

  const auto opened = Open(data_);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_TRUE(opened->recovery.events.empty());
  EXPECT_EQ(opened->recovery.last_sequence, 0u);
}

TEST_F(SqliteEventLogTest, ANewerSchemaIsRefusedAndLeftAlone) {
  { ASSERT_TRUE(Open(data_).ok()); }
  (*SqliteDatabase::Open(data_ + "/journal.db"))->Execute("PRAGMA user_version=99").IgnoreError();

  const absl::Status status = Open(data_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("schema version 99"), absl::string_view::npos) << status;
}

TEST_F(SqliteEventLogTest, AForeignDatabaseAndAForeignFileAreRefused) {
  std::filesystem::create_directories(data_);
  ASSERT_TRUE((*SqliteDatabase::Open(data_ + "/journal.db"))->Execute("CREATE TABLE mine (x)").ok());
  EXPECT_EQ(Open(data_).status().code(), absl::StatusCode::kDataLoss);

  std::filesystem::remove(data_ + "/journal.db-wal");
  WriteFile(data_ + "/journal.db",
            "This is no database but a text that is longer than the header of one would be, I believe.....");
  EXPECT_EQ(Open(data_).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(SqliteEventLogTest, WhatIsAcknowledgedIsInTheFilesBeforeTheCallback) {
  auto opened = Open(data_);
  ASSERT_TRUE(opened.ok());
  std::vector<Sequence> order;
  for (Sequence sequence = 1; sequence <= 3; ++sequence) {
    opened->log->Append(MakeEvent(sequence), [&, sequence](const absl::Status& status) {
      ASSERT_TRUE(status.ok());
      order.push_back(sequence);
      const std::string copy = directory_ / ("copy" + std::to_string(sequence));
      CopyJournal(data_, copy);
      const auto crashed = Open(copy);
      ASSERT_TRUE(crashed.ok()) << crashed.status();
      EXPECT_GE(crashed->recovery.events.size(), sequence);
    });
    EXPECT_TRUE(order.empty() || order.back() < sequence);
  }
  posts_.RunUntil("three acknowledgements", [&] { return order.size() == 3; });
  EXPECT_EQ(order, (std::vector<Sequence>{1, 2, 3}));
}

TEST_F(SqliteEventLogTest, CloseStoresWhatIsThereAndCallsNobody) {
  auto opened = Open(data_);
  ASSERT_TRUE(opened.ok());
  int calls = 0;
  for (Sequence sequence = 1; sequence <= 50; ++sequence)
    opened->log->Append(MakeEvent(sequence), [&](const absl::Status&) { ++calls; });
  opened->log->SaveProgress(1, {9, 0, {}});
  opened->log->SaveListener(1, MakeSnapshot("a"));
  opened->log->Close();
  opened->log = nullptr;

  EXPECT_EQ(calls, 0);
  const auto again = Open(data_);
  ASSERT_TRUE(again.ok()) << again.status();
  ExpectEvents(again->recovery, 50);
  EXPECT_EQ(again->recovery.listeners.at(0).progress.next_sequence, 9u);
}

TEST_F(SqliteEventLogTest, DroppedEventsStayAwayAndTheirSequencesAreNotUsedAgain) {
  {
    auto opened = Open(data_);
    ASSERT_TRUE(opened.ok());
    Append(*opened->log, 1, 3);
    for (int i = 0; i < 3; ++i) opened->log->DropFirst();
  }
  const auto again = Open(data_);
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->recovery.events.empty());
  EXPECT_EQ(again->recovery.last_sequence, 3u);
  EXPECT_EQ(again->log->GetStats().last_sequence, 3u);
}

}  // namespace
}  // namespace pvebus::bus
