#include "migration-service/upkeep/report_upkeep.h"

#include <chrono>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "migration-service/core/testing_memory_migration_store.h"

namespace pvebus::migration {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LineLogger final : public Logger {
 public:
  void Write(LogLevel, std::string_view line) override {
    MutexLock lock(mu_);
    lines_.emplace_back(line);
    written_.NotifyAll();
  }
  // Whether there was one within ten seconds.
  bool WaitForLine() {
    const SteadyTime end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    MutexLock lock(mu_);
    while (lines_.empty()) {
      if (!written_.WaitUntil(mu_, end)) return false;
    }
    return true;
  }
  std::vector<std::string> lines() {
    MutexLock lock(mu_);
    return lines_;
  }

 private:
  Mutex mu_;
  CondVar written_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mu_);
};

class ReportUpkeepTest : public testing::Test {
 protected:
  // Whether the disk has so many reports within ten seconds.
  bool WaitForReports(uint64_t reports) {
    const SteadyTime end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (store_.Load()->reports.reports != reports) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }

  MemoryMigrationStore store_;
  std::unique_ptr<MigrationState> state_ = *MigrationState::Load(store_);
  LineLogger logger_;
};

TEST_F(ReportUpkeepTest, ReportsAreOnTheDiskSoon) {
  const ReportUpkeep upkeep(*state_, logger_);
  state_->Report(true);
  EXPECT_TRUE(WaitForReports(1)) << "waited for the first report";

  state_->Report(false);

  EXPECT_TRUE(WaitForReports(2)) << "waited for the second report";
  EXPECT_EQ(store_.Load()->reports.failures, 1u);
}

TEST_F(ReportUpkeepTest, WhatWasReportedIsKeptAtTheEnd) {
  for (uint64_t i = 1; i <= 100; ++i) {
    {
      const ReportUpkeep upkeep(*state_, logger_);
      state_->Report(false);
    }

    ASSERT_EQ(store_.Load()->reports.reports, i);
  }
}

TEST_F(ReportUpkeepTest, DiskThatRefusesIsSaidOnceAndTriedAgain) {
  store_.FailNext(absl::ResourceExhaustedError("no room for migration.db"), 0, 2);
  state_->Report(true);
  const ReportUpkeep upkeep(*state_, logger_);

  EXPECT_TRUE(logger_.WaitForLine()) << "waited for the error";
  EXPECT_TRUE(WaitForReports(1)) << "waited for the third attempt";

  EXPECT_THAT(logger_.lines(), ElementsAre(HasSubstr("reports are not kept: no room for migration.db")));
}

}  // namespace
}  // namespace pvebus::migration
