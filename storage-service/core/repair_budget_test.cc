#include "storage-service/core/repair_budget.h"

#include "gtest/gtest.h"

namespace pvebus::storage {
namespace {

TEST(RepairBudgetTest, IsUsedUpWithinItsTimeAndContestedUntilGivenBack) {
  FakeClock clock;
  RepairBudget budget(clock);
  for (int i = 0; i < RepairBudget::kMostRepairs; ++i) EXPECT_TRUE(budget.Take("nas"));
  EXPECT_FALSE(budget.IsContested("nas"));

  EXPECT_FALSE(budget.Take("nas"));

  EXPECT_TRUE(budget.IsContested("nas"));
  EXPECT_TRUE(budget.Take("other"));
  clock.Advance(RepairBudget::kWithin * 2);
  EXPECT_FALSE(budget.Take("nas"));
  budget.GiveBack("nas");
  EXPECT_FALSE(budget.IsContested("nas"));
  EXPECT_TRUE(budget.Take("nas"));
}

TEST(RepairBudgetTest, WhatIsPutBackDoesNotCount) {
  FakeClock clock;
  RepairBudget budget(clock);
  budget.PutBack("nas");

  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(budget.Take("nas")) << i;
    budget.PutBack("nas");
  }
}

TEST(RepairBudgetTest, RepairsOfLongAgoDoNotCount) {
  FakeClock clock;
  RepairBudget budget(clock);

  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(budget.Take("nas")) << i;
    clock.Advance(RepairBudget::kWithin / RepairBudget::kMostRepairs);
  }
}

}  // namespace
}  // namespace pvebus::storage
