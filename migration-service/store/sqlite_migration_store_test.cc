#include "migration-service/store/sqlite_migration_store.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "migration-service/core/migration_state.h"
#include "sdk/base/error.h"

namespace pvebus::migration {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class SqliteMigrationStoreTest : public testing::Test {
 protected:
  SqliteMigrationStoreTest() {
    std::string pattern = testing::TempDir() + "sqlite_migration_store_XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~SqliteMigrationStoreTest() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<SqliteMigrationStore> Open() {
    auto store = SqliteMigrationStore::Open(directory_);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  absl::Status OpenError() { return SqliteMigrationStore::Open(directory_).status(); }
  std::string path() const { return directory_ + "/state/migration.db"; }
  void Execute(const std::string& sql) {
    std::filesystem::create_directories(directory_ + "/state");
    const absl::Status status = (*SqliteDatabase::Open(path()))->Execute(sql.c_str());
    ASSERT_TRUE(status.ok()) << status;
  }
  int64_t Number(const char* sql) { return *(*SqliteDatabase::Open(path()))->QueryNumber(sql); }
  static PhaseChange Change(uint64_t number) {
    return {.number = number, .to = Phase::kRustReadOnly, .event_id = absl::StrFormat("e%d", number)};
  }

  std::string directory_;
};

TEST_F(SqliteMigrationStoreTest, KeepsAllOverARestart) {
  const PhaseOrder step_back{.to = Phase::kPerlOnly, .from = Phase::kRustReadOnly, .automatic = true};
  ASSERT_TRUE(*Open()->CountTransaction("t1"));
  ASSERT_TRUE(Open()->PutChange(Change(1)).ok());
  ASSERT_TRUE(*Open()->CountTransaction("t2"));
  ASSERT_TRUE(Open()->PutReports({.reports = 3, .failures = 1}).ok());
  ASSERT_TRUE(Open()->PutStepBack(step_back).ok());

  const auto store = Open();

  EXPECT_EQ(*store->Load(), (MigrationRecord{.last_change = Change(1),
                                             .transactions = 2,
                                             .phase_transactions = 1,
                                             .last_transaction_event_id = "t2",
                                             .reports = {.reports = 3, .failures = 1}}));
  EXPECT_FALSE(*store->CountTransaction("t1"));
  EXPECT_EQ(*store->StepBack(), step_back);
}

TEST_F(SqliteMigrationStoreTest, StateGoesOnAfterEveryStep) {
  for (const char* event_id : {"t1", "t2", "t1", "t3", "t3"}) {
    const auto store = Open();
    ASSERT_TRUE((*MigrationState::Load(*store))->CountTransaction(event_id).ok());
  }
  for (const Phase phase : {Phase::kRustReadOnly, Phase::kRustBasicWrite, Phase::kRustBasicWrite, Phase::kPerlOnly}) {
    const auto store = Open();
    ASSERT_TRUE((*MigrationState::Load(*store))->Enter({.to = phase}, {}).ok());
  }

  const auto store = Open();
  const MigrationState::Status status = (*MigrationState::Load(*store))->status();
  EXPECT_EQ(status.transactions, 3u);
  EXPECT_EQ(status.phase, Phase::kPerlOnly);
  EXPECT_EQ(status.last_change->number, 3u);
  EXPECT_THAT(*store->Changes(0, 10), SizeIs(3));
}

TEST_F(SqliteMigrationStoreTest, EachCallIsKeptWholeOrNotAtAll) {
  const auto store = Open();
  ASSERT_TRUE(*store->CountTransaction("t1"));
  ASSERT_TRUE(store->PutStepBack({}).ok());
  const MigrationRecord before = *store->Load();
  Execute("CREATE TRIGGER no_delete BEFORE DELETE ON step_back BEGIN SELECT RAISE(FAIL, 'no'); END");
  EXPECT_EQ(ErrorReason(store->PutChange(Change(1))), "MIGRATION_STATE_UNUSABLE");
  Execute("CREATE TRIGGER no_counts BEFORE INSERT ON counts BEGIN SELECT RAISE(FAIL, 'no'); END");
  EXPECT_EQ(ErrorReason(store->CountTransaction("t2").status()), "MIGRATION_STATE_UNUSABLE");
  EXPECT_EQ(ErrorReason(store->PutReports({1, 1})), "MIGRATION_STATE_UNUSABLE");

  EXPECT_EQ(*store->Load(), before);
  EXPECT_THAT(*store->Changes(0, 10), SizeIs(0));
  EXPECT_TRUE(store->StepBack()->has_value());
  Execute("DROP TRIGGER no_counts; DROP TRIGGER no_delete");
  EXPECT_TRUE(*store->CountTransaction("t2"));
  EXPECT_TRUE(store->PutChange(Change(1)).ok());
}

TEST_F(SqliteMigrationStoreTest, NothingIsTakenOverInPart) {
  const auto store = Open();
  const MigrationRecord before{.last_change = Change(1), .transactions = 7, .last_transaction_event_id = "t7"};
  Execute("CREATE TRIGGER no BEFORE INSERT ON counted BEGIN SELECT RAISE(FAIL, 'no'); END");
  EXPECT_FALSE(store->TakeOver(before).ok());
  EXPECT_EQ(*store->Load(), MigrationRecord{});
  Execute("DROP TRIGGER no");

  EXPECT_TRUE(store->TakeOver(before).ok());

  EXPECT_EQ(*store->Load(), before);
}

TEST_F(SqliteMigrationStoreTest, CountedEventsTakeBoundedRoom) {
  const auto store = *SqliteMigrationStore::Open(directory_, 5);
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(*store->CountTransaction(absl::StrFormat("t%d", i)));

  EXPECT_EQ(Number("SELECT count(*) FROM counted"), 5);
  EXPECT_EQ(store->Load()->transactions, 30u);
}

TEST_F(SqliteMigrationStoreTest, OfManyThreadsOneCountsAnEvent) {
  const auto store = Open();
  std::atomic<int> counted = 0;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) counted += *store->CountTransaction(absl::StrFormat("t%d", i)) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(counted, 20);
  EXPECT_EQ(store->Load()->transactions, 20u);
}

TEST_F(SqliteMigrationStoreTest, BelongsToOneProcess) {
  const auto store = Open();

  EXPECT_EQ(ErrorReason(OpenError()), "DATA_DIR_IN_USE");
}

TEST_F(SqliteMigrationStoreTest, FileIsMarkedAsOurs) {
  Open();

  EXPECT_EQ(Number("PRAGMA application_id"), 0x7076656d);
}

TEST_F(SqliteMigrationStoreTest, FileOfAnotherProgramIsRefused) {
  Execute("CREATE TABLE things (thing TEXT)");

  EXPECT_EQ(ErrorReason(OpenError()), "MIGRATION_STATE_FOREIGN");
}

TEST_F(SqliteMigrationStoreTest, NewerFileIsRefused) {
  Open();
  Execute("PRAGMA user_version = 99");

  EXPECT_EQ(ErrorReason(OpenError()), "MIGRATION_STATE_NEWER");
}

TEST_F(SqliteMigrationStoreTest, DamagedFileIsNamedWithWhatToDo) {
  Open();
  std::filesystem::remove(path() + "-wal");
  std::ofstream(path(), std::ios::trunc) << std::string(8192, 'x');

  const absl::Status status = OpenError();

  EXPECT_EQ(ErrorReason(status), "MIGRATION_STATE_DAMAGED") << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("put a copy of " + path() + " back, or move it"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("perl-only"));
}

TEST_F(SqliteMigrationStoreTest, RowThatMeansNothingIsNamed) {
  ASSERT_TRUE(Open()->PutChange(Change(1)).ok());
  ASSERT_TRUE(Open()->PutStepBack({.from = Phase::kPerlOnly}).ok());
  const std::pair<const char*, const char*> damages[] = {
      {"changes", "to_phase = 6"},      {"changes", "from_phase = -1"},  {"changes", "number = 0"},
      {"changes", "transactions = -1"}, {"counts", "transactions = -1"}, {"counts", "phase_transactions = -1"},
      {"counts", "reports = -1"},       {"counts", "failures = -1"},     {"step_back", "to_phase = 6"},
      {"step_back", "from_phase = 6"},
  };
  for (const auto& [table, damage] : damages) {
    std::filesystem::copy_file(path(), directory_ + "/whole", std::filesystem::copy_options::overwrite_existing);
    Execute(absl::StrFormat("UPDATE %s SET %s", table, damage));

    const absl::Status status = OpenError();

    EXPECT_EQ(ErrorReason(status), "MIGRATION_STATE_DAMAGED") << damage;
    EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrFormat("of %s means nothing", table))) << damage;
    std::filesystem::copy_file(directory_ + "/whole", path(), std::filesystem::copy_options::overwrite_existing);
  }
}

TEST_F(SqliteMigrationStoreTest, CountsThatAreGoneAreDamage) {
  Open();
  Execute("DELETE FROM counts");

  EXPECT_EQ(ErrorReason(OpenError()), "MIGRATION_STATE_DAMAGED");
}

TEST_F(SqliteMigrationStoreTest, OnlyItsOwnerMayReadIt) {
  Open();

  EXPECT_EQ(std::filesystem::status(path()).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace
}  // namespace pvebus::migration
