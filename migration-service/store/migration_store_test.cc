#include "migration-service/core/migration_store.h"

#include <filesystem>
#include <memory>

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "migration-service/core/testing_memory_migration_store.h"
#include "migration-service/store/sqlite_migration_store.h"
#include "sdk/base/error.h"

namespace pvebus::migration {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr size_t kRemembered = 3;
constexpr SystemTime kNoon{std::chrono::seconds(1'700'000'000) + std::chrono::nanoseconds(7)};

enum class Kind { kMemory, kSqlite };

// What every MigrationStore promises.
class MigrationStoreTest : public testing::TestWithParam<Kind> {
 protected:
  MigrationStoreTest() {
    std::string pattern = testing::TempDir() + "migration_store_XXXXXX";
    directory_ = mkdtemp(pattern.data());
    if (GetParam() == Kind::kMemory) {
      store_ = std::make_unique<MemoryMigrationStore>(kRemembered);
    } else {
      store_ = *SqliteMigrationStore::Open(directory_, kRemembered);
    }
  }
  ~MigrationStoreTest() override {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  static PhaseChange Change(uint64_t number, const std::string& event_id, Phase to = Phase::kRustSdn) {
    return {.number = number, .from = Phase::kRustFull, .to = to, .event_id = event_id, .time = kNoon};
  }
  static PhaseChange FullChange() {
    PhaseChange change = Change(1, "e1");
    change.forced = true;
    change.automatic = true;
    change.reason = "weil's so ist: äöü\n";
    change.requested_by = "root@pam";
    change.transactions = 1'000'000'000'000;
    return change;
  }
  std::vector<uint64_t> Numbers(uint64_t before, size_t limit) {
    const std::vector<PhaseChange> changes = *store_->Changes(before, limit);
    std::vector<uint64_t> numbers;
    numbers.reserve(changes.size());
    for (const PhaseChange& change : changes) numbers.push_back(change.number);
    return numbers;
  }
  void Put(const PhaseChange& change) {
    const absl::Status status = store_->PutChange(change);
    EXPECT_TRUE(status.ok()) << status;
  }
  bool Count(const std::string& event_id) {
    const auto counted = store_->CountTransaction(event_id);
    EXPECT_TRUE(counted.ok()) << counted.status();
    return counted.value_or(false);
  }

  std::string directory_;
  std::unique_ptr<MigrationStore> store_;
};

TEST_P(MigrationStoreTest, BeginsWithNothing) {
  EXPECT_EQ(*store_->Load(), MigrationRecord{});
  EXPECT_THAT(*store_->Changes(0, 10), IsEmpty());
  EXPECT_EQ(*store_->ChangeOf("e1"), std::nullopt);
  EXPECT_EQ(*store_->StepBack(), std::nullopt);
}

TEST_P(MigrationStoreTest, EveryFieldOfAChangeComesBack) {
  Put(FullChange());

  EXPECT_EQ(store_->Load()->last_change, FullChange());
  EXPECT_EQ(*store_->ChangeOf("e1"), FullChange());
  EXPECT_THAT(*store_->Changes(0, 1), ElementsAre(FullChange()));
}

TEST_P(MigrationStoreTest, EveryPhaseComesBack) {
  uint64_t number = 0;
  for (const Phase phase : kPhases) {
    PhaseChange change = Change(++number, "");
    change.from = phase;
    change.to = phase;
    Put(change);
    EXPECT_EQ(store_->Load()->last_change, change);
    ASSERT_TRUE(store_->PutStepBack({.to = phase, .from = phase}).ok());
    EXPECT_EQ(*store_->StepBack(), (PhaseOrder{.to = phase, .from = phase}));
  }
}

TEST_P(MigrationStoreTest, ChangesAreListedNewestFirst) {
  for (uint64_t number = 1; number <= 5; ++number) Put(Change(number, absl::StrFormat("e%d", number)));

  EXPECT_THAT(Numbers(0, 100), ElementsAre(5, 4, 3, 2, 1));
  EXPECT_THAT(Numbers(0, 2), ElementsAre(5, 4));
  EXPECT_THAT(Numbers(4, 2), ElementsAre(3, 2));
  EXPECT_THAT(Numbers(2, SIZE_MAX), ElementsAre(1));
  EXPECT_THAT(Numbers(UINT64_MAX, 1), ElementsAre(5));
  EXPECT_THAT(Numbers(1, 100), IsEmpty());
  EXPECT_THAT(Numbers(0, 0), IsEmpty());
}

TEST_P(MigrationStoreTest, ChangeIsFoundByItsEvent) {
  Put(Change(1, "e1", Phase::kRustSdn));
  Put(Change(2, "", Phase::kPerlOnly));
  Put(Change(3, "", Phase::kRustReadOnly));

  EXPECT_EQ((*store_->ChangeOf("e1"))->number, 1u);
  EXPECT_EQ(*store_->ChangeOf("e"), std::nullopt);
  EXPECT_EQ(*store_->ChangeOf(""), std::nullopt);
}

TEST_P(MigrationStoreTest, NumberOrEventThatHasAChangeGetsNoOther) {
  Put(Change(1, "e1"));
  Count("t");

  EXPECT_EQ(store_->PutChange(Change(1, "e2")).code(), absl::StatusCode::kInternal);
  EXPECT_EQ(store_->PutChange(Change(2, "e1")).code(), absl::StatusCode::kInternal);

  EXPECT_EQ(store_->Load()->last_change, Change(1, "e1"));
  EXPECT_EQ(store_->Load()->phase_transactions, 1u);
}

TEST_P(MigrationStoreTest, ChangeBeginsTheCountsOfThePhaseAnew) {
  Count("t1");
  Count("t2");
  ASSERT_TRUE(store_->PutReports({.reports = 5, .failures = 2}).ok());
  ASSERT_TRUE(store_->PutStepBack({.to = Phase::kPerlOnly}).ok());

  Put(Change(1, "e1"));

  EXPECT_EQ(*store_->Load(),
            (MigrationRecord{.last_change = Change(1, "e1"), .transactions = 2, .last_transaction_event_id = "t2"}));
  EXPECT_EQ(*store_->StepBack(), std::nullopt);
}

TEST_P(MigrationStoreTest, TransactionIsCountedOnce) {
  EXPECT_TRUE(Count("t1"));
  EXPECT_TRUE(Count("t2"));
  EXPECT_FALSE(Count("t1"));
  Put(Change(1, "e1"));
  EXPECT_FALSE(Count("t2"));
  EXPECT_TRUE(Count("t3"));

  const MigrationRecord record = *store_->Load();
  EXPECT_EQ(record.transactions, 3u);
  EXPECT_EQ(record.phase_transactions, 1u);
  EXPECT_EQ(record.last_transaction_event_id, "t3");
}

TEST_P(MigrationStoreTest, OnlyTheLastTransactionsAreRemembered) {
  for (const char* event_id : {"t1", "t2", "t3"}) EXPECT_TRUE(Count(event_id));
  EXPECT_FALSE(Count("t1"));
  EXPECT_TRUE(Count("t4"));

  for (const char* event_id : {"t2", "t3", "t4"}) EXPECT_FALSE(Count(event_id));
  EXPECT_TRUE(Count("t1"));
  EXPECT_TRUE(Count("t2"));
  EXPECT_EQ(store_->Load()->transactions, 6u);
}

TEST_P(MigrationStoreTest, ReportsReplaceThoseBefore) {
  ASSERT_TRUE(store_->PutReports({.reports = 5, .failures = 2}).ok());
  ASSERT_TRUE(store_->PutReports({.reports = 7, .failures = 3}).ok());
  Count("t");

  EXPECT_EQ(store_->Load()->reports, (ReportCounts{.reports = 7, .failures = 3}));
}

TEST_P(MigrationStoreTest, StepBackStaysUntilItIsRemoved) {
  const PhaseOrder order{.to = Phase::kRustReadOnly,
                         .from = Phase::kRustBasicWrite,
                         .force = true,
                         .automatic = true,
                         .reason = "12 of 50",
                         .requested_by = "migration-service",
                         .event_id = "e1",
                         .time = kNoon};
  ASSERT_TRUE(store_->PutStepBack({.to = Phase::kPerlOnly}).ok());
  EXPECT_EQ(*store_->StepBack(), PhaseOrder{.to = Phase::kPerlOnly});
  ASSERT_TRUE(store_->PutStepBack(order).ok());
  EXPECT_EQ(*store_->StepBack(), order);

  ASSERT_TRUE(store_->RemoveStepBack("e1").ok());

  EXPECT_EQ(*store_->StepBack(), std::nullopt);
  EXPECT_TRUE(store_->RemoveStepBack("e1").ok());
}

TEST_P(MigrationStoreTest, StepBackOfAnotherEventIsNotRemoved) {
  const PhaseOrder later{.to = Phase::kPerlOnly, .event_id = "e2"};
  ASSERT_TRUE(store_->PutStepBack({.to = Phase::kRustReadOnly, .event_id = "e1"}).ok());
  ASSERT_TRUE(store_->PutStepBack(later).ok());

  ASSERT_TRUE(store_->RemoveStepBack("e1").ok());

  EXPECT_EQ(*store_->StepBack(), later);
}

TEST_P(MigrationStoreTest, NewStoreTakesOverWhatWasBefore) {
  const MigrationRecord before{.last_change = Change(1, "e1"), .transactions = 7, .last_transaction_event_id = "t7"};

  ASSERT_TRUE(store_->TakeOver(before).ok());

  EXPECT_EQ(*store_->Load(), before);
  EXPECT_EQ((*store_->ChangeOf("e1"))->number, 1u);
  EXPECT_FALSE(Count("t7"));
  EXPECT_TRUE(Count("t8"));
  EXPECT_EQ(store_->Load()->transactions, 8u);
}

TEST_P(MigrationStoreTest, OnlyANewStoreTakesOver) {
  const MigrationRecord before{.transactions = 7, .last_transaction_event_id = "t7"};
  ASSERT_TRUE(store_->PutStepBack({}).ok());
  EXPECT_EQ(ErrorReason(store_->TakeOver(before)), "STATE_NOT_NEW");
  ASSERT_TRUE(store_->RemoveStepBack("").ok());
  ASSERT_TRUE(store_->TakeOver(before).ok());
  EXPECT_EQ(ErrorReason(store_->TakeOver(before)), "STATE_NOT_NEW");
  Put(Change(1, "e1"));
  const MigrationRecord now = *store_->Load();

  EXPECT_EQ(ErrorReason(store_->TakeOver({})), "STATE_NOT_NEW");

  EXPECT_EQ(*store_->Load(), now);
}

INSTANTIATE_TEST_SUITE_P(BothStores, MigrationStoreTest, testing::Values(Kind::kMemory, Kind::kSqlite),
                         [](const auto& kind) { return kind.param == Kind::kMemory ? "Memory" : "Sqlite"; });

}  // namespace
}  // namespace pvebus::migration
