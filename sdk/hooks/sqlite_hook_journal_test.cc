#include "sdk/hooks/sqlite_hook_journal.h"

#include <fstream>
#include <random>
#include <thread>

#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "tests/support/temporary_directory.h"

namespace pvebus::hooks {
namespace {

using google::protobuf::util::MessageDifferencer;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class LinesLogger final : public Logger {
 public:
  void Write(LogLevel, std::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

HookRecord MakeRecord(const std::string& hook, bus::v1::HookState state, std::vector<KeptChange> kept = {}) {
  HookRecord record;
  record.result.set_hook(hook);
  record.result.set_state(state);
  record.result.set_resource("container/101");
  record.result.set_before("b");
  record.result.set_after("a");
  record.result.set_message("m");
  record.result.mutable_duration()->set_nanos(1234);
  record.start = SystemTime(std::chrono::seconds(1'700'000'000));
  record.duration = std::chrono::nanoseconds(1234);
  record.ran = true;
  record.kept = std::move(kept);
  return record;
}

ChainRun RunOf(const std::string& event_id, std::vector<HookRecord> records, uint32_t attempt = 1) {
  return {.event_id = event_id, .attempt = attempt, .resource = "container/101", .records = std::move(records)};
}
ChainRun Success(const std::string& event_id, std::vector<KeptChange> kept = {}) {
  return RunOf(event_id, {MakeRecord("a", bus::v1::HOOK_STATE_CHANGED, std::move(kept))});
}

// hooks.db as the first version made it.
constexpr char kVersion1[] = R"sql(
  CREATE TABLE about (program TEXT NOT NULL);
  CREATE TABLE executions (
    execution_id INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL, hook TEXT NOT NULL, attempt INTEGER NOT NULL,
    event_resource TEXT NOT NULL, start_time_ns INTEGER NOT NULL, duration_ns INTEGER NOT NULL, state INTEGER NOT NULL,
    resource TEXT NOT NULL, resource_before TEXT NOT NULL, resource_after TEXT NOT NULL, message TEXT NOT NULL);
  CREATE TABLE successes (
    success_id INTEGER PRIMARY KEY, event_id TEXT NOT NULL, hook TEXT NOT NULL, attempt INTEGER NOT NULL);
  CREATE UNIQUE INDEX successes_by_event ON successes (event_id, hook);
  CREATE TABLE statistics (
    hook TEXT PRIMARY KEY, total INTEGER NOT NULL, succeeded INTEGER NOT NULL, failed INTEGER NOT NULL, skipped INTEGER NOT NULL,
    measured INTEGER NOT NULL, sum_ns INTEGER NOT NULL, min_ns INTEGER NOT NULL, max_ns INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE kept (
    name TEXT PRIMARY KEY, number INTEGER NOT NULL, text TEXT NOT NULL, changed INTEGER NOT NULL) WITHOUT ROWID;
  PRAGMA application_id = 0x70766568;
  PRAGMA user_version = 1;
  INSERT INTO about VALUES ('test');
  INSERT INTO executions VALUES (7, 'e1', 'a', 3, 'container/101', 1700000000000000000, 1234, 1, 'r', 'b', 'a', 'm');
  INSERT INTO successes VALUES (5, 'e1', 'a', 3);
  INSERT INTO statistics VALUES ('a', 2, 2, 0, 0, 2, 3000, 1000, 2000);
  INSERT INTO kept VALUES ('n', 2, 'e1', 5);
)sql";

class SqliteHookJournalTest : public ::testing::Test {
 protected:
  SqliteHookJournalOptions Options() const { return {.directory = directory_.path(), .program = "test", .limits = limits_}; }
  absl::Status Refusal() { return SqliteHookJournal::Open(Options(), clock_, logger_).status(); }
  void Open() {
    journal_.reset();
    auto journal = SqliteHookJournal::Open(Options(), clock_, logger_);
    ASSERT_TRUE(journal.ok()) << journal.status();
    journal_ = *std::move(journal);
  }
  int64_t KeptNumber(const std::string& name) {
    for (const auto& [kept, value] : journal_->Kept()) {
      if (kept == name) return value.number;
    }
    return 0;
  }
  std::string File() const { return directory_.path() + "/hooks.db"; }

  testing::TemporaryDirectory directory_;
  FakeClock clock_;
  LinesLogger logger_;
  HookTableLimits limits_;
  std::unique_ptr<SqliteHookJournal> journal_;
};

TEST_F(SqliteHookJournalTest, EverythingIsThereWhenItIsOpenedAgain) {
  Open();
  journal_->Record(RunOf("e1", {MakeRecord("a", bus::v1::HOOK_STATE_CHANGED), MakeRecord("b", bus::v1::HOOK_STATE_FAILED)}, 3));
  journal_->Record(RunOf("e2", {MakeRecord("a", bus::v1::HOOK_STATE_SKIPPED)}));
  const auto executions = journal_->Executions({});
  const auto statistics = journal_->StatisticsOf("a");

  Open();

  ASSERT_EQ(journal_->Executions({}).size(), 3u);
  for (size_t i = 0; i < executions.size(); ++i) {
    EXPECT_TRUE(MessageDifferencer::Equals(journal_->Executions({})[i], executions[i])) << executions[i].DebugString();
  }
  EXPECT_TRUE(MessageDifferencer::Equals(journal_->StatisticsOf("a"), statistics));
  EXPECT_THAT(journal_->SucceededFor("e1"), UnorderedElementsAre(Pair("a", 3)));
  EXPECT_THAT(journal_->SucceededFor("e2"), UnorderedElementsAre(Pair("a", 1)));
  EXPECT_THAT(journal_->SucceededFor("e3"), IsEmpty());
}

TEST_F(SqliteHookJournalTest, WhatAProgramLeftIsThereWhenItIsOpenedAgain) {
  Open();
  HookRecord ended = MakeRecord("a", bus::v1::HOOK_STATE_CHANGED);
  ended.result.set_exit_code(0);
  ended.result.set_output("done\n");
  ended.details = {ended.result};
  ended.details[0].set_exit_code(137);
  journal_->Record(RunOf("e1", {ended, MakeRecord("b", bus::v1::HOOK_STATE_FAILED)}));
  const auto executions = journal_->Executions({});

  Open();

  ASSERT_EQ(journal_->Executions({}).size(), 3u);
  for (size_t i = 0; i < executions.size(); ++i) {
    EXPECT_TRUE(MessageDifferencer::Equals(journal_->Executions({})[i], executions[i])) << executions[i].DebugString();
  }
}

TEST_F(SqliteHookJournalTest, FileOfTheFirstVersionIsBroughtToThisOne) {
  ASSERT_TRUE(SqliteDatabase::Open(File()).value()->Execute(kVersion1).ok());

  Open();

  const auto before = journal_->Executions({});
  ASSERT_EQ(before.size(), 1u);
  EXPECT_EQ(before[0].execution_id(), 7u);
  EXPECT_EQ(before[0].result().message(), "m");
  EXPECT_FALSE(before[0].result().has_exit_code());
  EXPECT_EQ(before[0].result().output(), "");
  EXPECT_THAT(journal_->SucceededFor("e1"), UnorderedElementsAre(Pair("a", 3)));
  EXPECT_EQ(journal_->StatisticsOf("a").total_count(), 2u);
  EXPECT_EQ(KeptNumber("n"), 2);

  HookRecord record = MakeRecord("a", bus::v1::HOOK_STATE_CHANGED);
  record.result.set_exit_code(1);
  record.result.set_output("new");
  journal_->Record(RunOf("e2", {record}));
  Open();
  const auto after = journal_->Executions({});
  ASSERT_EQ(after.size(), 2u);
  EXPECT_EQ(after[0].execution_id(), 8u);
  EXPECT_EQ(after[0].result().exit_code(), 1);
  EXPECT_EQ(after[0].result().output(), "new");
  EXPECT_TRUE(MessageDifferencer::Equals(after[1], before[0]));
}

TEST_F(SqliteHookJournalTest, PartIsASuccessOfItsOwnAndCountsInNoStatistics) {
  Open();
  HookRecord done = MakeRecord("a", bus::v1::HOOK_STATE_CHANGED);
  done.part = "p\xff";
  HookRecord failed = MakeRecord("a", bus::v1::HOOK_STATE_FAILED);
  failed.part = "q";
  journal_->Record(RunOf("e1", {done}, 3));
  journal_->Record(RunOf("e1", {failed}, 3));

  Open();

  EXPECT_THAT(journal_->SucceededFor("e1"), UnorderedElementsAre(Pair("a/p\xff", 3)));
  EXPECT_EQ(journal_->Executions({}).size(), 2u);
  EXPECT_EQ(journal_->StatisticsOf("a").total_count(), 0u);
}

TEST_F(SqliteHookJournalTest, DetailsAreExecutionsAndNothingElse) {
  Open();
  HookRecord record = MakeRecord("a", bus::v1::HOOK_STATE_CHANGED);
  record.details = {record.result, record.result};
  record.details[1].set_resource("storage/nas");
  journal_->Record(RunOf("e1", {record, MakeRecord("b", bus::v1::HOOK_STATE_FAILED)}));
  Open();

  const auto executions = journal_->Executions({});

  ASSERT_EQ(executions.size(), 4u);
  EXPECT_EQ(executions[1].result().resource(), "storage/nas");
  EXPECT_EQ(executions[0].result().hook(), "b");
  EXPECT_EQ(journal_->StatisticsOf("a").total_count(), 1u);
  EXPECT_EQ(journal_->StatisticsOf("b").failed_count(), 1u);
  EXPECT_THAT(journal_->SucceededFor("e1"), UnorderedElementsAre(Pair("a", 1u)));
}

TEST_F(SqliteHookJournalTest, StatisticsOfManyProcessesAreThoseOfOne) {
  HookHistory whole(1000);
  for (int i = 1; i <= 6; ++i) {
    Open();
    HookRecord record = MakeRecord("a", static_cast<bus::v1::HookState>(1 + i % 5));
    record.duration = std::chrono::nanoseconds(i * i);
    record.ran = i % 3 != 1;
    journal_->Record(RunOf("e" + std::to_string(i), {record}));
    whole.Record(RunOf("e" + std::to_string(i), {record}));
  }

  Open();

  EXPECT_TRUE(MessageDifferencer::Equals(journal_->StatisticsOf("a"), whole.StatisticsOf("a")))
      << journal_->StatisticsOf("a").DebugString() << whole.StatisticsOf("a").DebugString();
}

TEST_F(SqliteHookJournalTest, HistoryIsBoundedOnDiskTooAndIdsGoOn) {
  limits_.executions = 3;
  Open();
  for (int i = 1; i <= 5; ++i) journal_->Record(Success("e" + std::to_string(i)));

  Open();

  ASSERT_EQ(journal_->Executions({}).size(), 3u);
  EXPECT_EQ(journal_->Executions({})[0].execution_id(), 5u);
  EXPECT_EQ(journal_->StatisticsOf("a").total_count(), 5u);
  EXPECT_EQ(journal_->Clear(), 3u);
  Open();
  EXPECT_THAT(journal_->Executions({}), IsEmpty());
  EXPECT_EQ(journal_->StatisticsOf("a").total_count(), 5u);
  journal_->Record(Success("e6"));
  EXPECT_EQ(journal_->Executions({})[0].execution_id(), 6u);
}

TEST_F(SqliteHookJournalTest, OldestSuccessesAreForgottenWhenThereAreTooMany) {
  limits_.successes = 2;
  Open();
  for (const char* event : {"e1", "e2", "e3"}) journal_->Record(Success(event));

  EXPECT_THAT(journal_->SucceededFor("e1"), IsEmpty());
  EXPECT_EQ(journal_->SucceededFor("e2").size(), 1u);
  EXPECT_EQ(journal_->SucceededFor("e3").size(), 1u);
}

TEST_F(SqliteHookJournalTest, StatisticsOfAHookThatWasRemovedAreForgotten) {
  Open();
  journal_->Record(Success("e1"));
  journal_->ForgetStatistics("a");

  Open();

  EXPECT_EQ(journal_->StatisticsOf("a").total_count(), 0u);
  EXPECT_EQ(journal_->Executions({}).size(), 1u);
}

TEST_F(SqliteHookJournalTest, WhatAServiceKeepsCountsOncePerEvent) {
  using Kind = KeptChange::Kind;
  Open();
  journal_->Record(Success("e1", {{.kind = Kind::kAdd, .name = "n", .number = 1, .text = "e1"}}));
  journal_->Record(Success("e1", {{.kind = Kind::kAdd, .name = "n", .number = 1, .text = "again"}}));
  journal_->Record(Success("e2", {{.kind = Kind::kAdd, .name = "n", .number = 1, .text = "e2"}}));
  journal_->Record(Success("e3", {{.kind = Kind::kNewest, .name = "phase", .number = 2, .text = "later"}}));
  journal_->Record(Success("e4", {{.kind = Kind::kNewest, .name = "phase", .number = 1, .text = "earlier"}}));
  journal_->Record(Success("e5", {{.kind = Kind::kAdd, .name = "gone", .number = 1}}));
  journal_->Record(Success("e6", {{.kind = Kind::kErase, .name = "gone"}}));
  journal_->Record(RunOf("e7", {MakeRecord("a", bus::v1::HOOK_STATE_FAILED, {{.name = "n", .number = 1}})}));

  Open();

  const auto kept = journal_->Kept();
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].first, "n");
  EXPECT_EQ(kept[0].second.number, 2);
  EXPECT_EQ(kept[0].second.text, "e2");
  EXPECT_EQ(kept[1].first, "phase");
  EXPECT_EQ(kept[1].second.text, "later");
}

TEST_F(SqliteHookJournalTest, ManyThreadsRecordAtOnceAndNothingIsMissing) {
  constexpr int kThreads = 8;
  constexpr int kRuns = 50;
  Open();
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRuns; ++i) {
        const std::string event = std::to_string(t) + "/" + std::to_string(i);
        journal_->Record(Success(event, {{.name = "n", .number = 1}}));
        if (journal_->SucceededFor(event).size() != 1) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0) << "a look-up did not see what had been recorded";

  Open();

  EXPECT_EQ(journal_->StatisticsOf("a").succeeded_count(), static_cast<uint64_t>(kThreads * kRuns));
  EXPECT_EQ(KeptNumber("n"), kThreads * kRuns);
}

// Another program that holds the file stands for a disk that takes nothing.
TEST_F(SqliteHookJournalTest, WhatCouldNotBeWrittenIsWrittenLater) {
  Open();
  auto other = SqliteDatabase::Open(File());
  ASSERT_TRUE(other.ok()) << other.status();
  ASSERT_TRUE((*other)->Execute("BEGIN IMMEDIATE").ok());

  journal_->Record(Success("e1"));
  journal_->Record(Success("e2"));  // at once: the disk is not asked again within a second
  HookRecord part = MakeRecord("a", bus::v1::HOOK_STATE_CHANGED);
  part.part = "p";
  journal_->Record(RunOf("e4", {part}));

  EXPECT_FALSE(journal_->state().ok());
  EXPECT_EQ(journal_->SucceededFor("e1").size(), 1u);
  EXPECT_EQ(journal_->SucceededFor("e2").size(), 1u);
  EXPECT_THAT(journal_->SucceededFor("e4"), UnorderedElementsAre(Pair("a/p", 1)));
  EXPECT_EQ(journal_->Executions({}).size(), 3u);
  ASSERT_EQ(logger_.lines.size(), 1u);
  EXPECT_THAT(logger_.lines[0], HasSubstr("hook_history=not_saved"));

  ASSERT_TRUE((*other)->Execute("ROLLBACK").ok());
  other->reset();
  clock_.Advance(std::chrono::seconds(2));
  journal_->Record(Success("e3"));

  EXPECT_TRUE(journal_->state().ok());
  EXPECT_THAT(logger_.lines.back(), HasSubstr("saved_again"));
  Open();
  EXPECT_EQ(journal_->Executions({}).size(), 4u);
  EXPECT_EQ(journal_->SucceededFor("e1").size(), 1u);
}

TEST_F(SqliteHookJournalTest, DirectoryInUseIsSaid) {
  Open();

  EXPECT_EQ(ErrorReason(Refusal()), "DATA_DIR_IN_USE");
}

TEST_F(SqliteHookJournalTest, FilesOfOthersAreRefusedByName) {
  const auto refusal_of = [&](const char* sql) {
    std::filesystem::remove(File());
    EXPECT_TRUE(SqliteDatabase::Open(File()).value()->Execute(sql).ok());
    return Refusal();
  };
  const absl::Status foreign = refusal_of("CREATE TABLE mine (x)");
  EXPECT_EQ(ErrorReason(foreign), "HOOK_HISTORY_FOREIGN");
  EXPECT_THAT(std::string(foreign.message()), HasSubstr(File()));
  EXPECT_EQ(ErrorReason(refusal_of("PRAGMA application_id=7")), "HOOK_HISTORY_FOREIGN");

  std::filesystem::remove(File());
  Open();
  journal_.reset();
  SqliteHookJournalOptions options = Options();
  options.program = "another";
  const absl::Status other = SqliteHookJournal::Open(options, clock_, logger_).status();
  EXPECT_EQ(ErrorReason(other), "HOOK_HISTORY_FOREIGN");
  EXPECT_THAT(std::string(other.message()), HasSubstr("is the hook history of test"));

  ASSERT_TRUE(SqliteDatabase::Open(File()).value()->Execute("PRAGMA user_version=99").ok());
  EXPECT_EQ(ErrorReason(Refusal()), "HOOK_HISTORY_NEWER");
}

// Whatever happened to the file: it is refused by name, or what it still has is used; it never ends the process.
TEST_F(SqliteHookJournalTest, DamagedFilesAreRefusedByNameOrServe) {
  Open();
  for (int i = 0; i < 200; ++i) journal_->Record(Success("e" + std::to_string(i), {{.name = "n", .number = 1}}));
  journal_.reset();
  std::ifstream stream(File(), std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(stream)), {});
  std::mt19937 random(11);
  int refused = 0;
  for (int round = 0; round < 100; ++round) {
    std::string damaged = whole;
    if (round % 2 == 0) {
      damaged.resize(1 + random() % (whole.size() - 1));
    } else {
      for (int i = 0; i < 30; ++i) damaged[random() % damaged.size()] ^= static_cast<char>(1 + random() % 255);
    }
    std::filesystem::remove(File() + "-wal");
    std::filesystem::remove(File() + "-shm");
    std::ofstream(File(), std::ios::binary | std::ios::trunc) << damaged;

    auto journal = SqliteHookJournal::Open(Options(), clock_, logger_);

    if (journal.ok()) {
      (*journal)->Record(Success("new"));
      EXPECT_EQ((*journal)->SucceededFor("new").size(), 1u) << "round " << round;
      (*journal)->Executions({});
    } else {
      ++refused;
      EXPECT_THAT(std::string(journal.status().message()), HasSubstr(File())) << "round " << round;
      EXPECT_THAT(std::string(journal.status().message()), HasSubstr("move it")) << "round " << round << journal.status();
    }
  }
  EXPECT_GT(refused, 50);
}

}  // namespace
}  // namespace pvebus::hooks
