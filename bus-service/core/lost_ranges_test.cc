#include "bus-service/core/lost_ranges.h"

#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

TEST(LostRangesTest, WithoutAnyNothingIsLost) {
  const LostRanges none;

  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.Skip(7), 7u);
  EXPECT_EQ(none.StepBack(7), 7u);
  EXPECT_EQ(none.CountIn(1, 100), 0u);
}

TEST(LostRangesTest, RangesThatTouchAreOneInWhateverOrderTheyCome) {
  const LostRanges lost({{20, 29}, {5, 5}, {10, 19}, {12, 15}});

  EXPECT_EQ(lost.Skip(4), 4u);
  EXPECT_EQ(lost.Skip(5), 6u);
  EXPECT_EQ(lost.Skip(10), 30u);
  EXPECT_EQ(lost.Skip(29), 30u);
  EXPECT_EQ(lost.Skip(30), 30u);
  EXPECT_TRUE(lost.Contains(19));
  EXPECT_FALSE(lost.Contains(9));
}

TEST(LostRangesTest, AStepBackGoesOverWhatIsLostRightBefore) {
  const LostRanges lost({{1, 3}, {10, 19}});

  EXPECT_EQ(lost.StepBack(0), 0u);
  EXPECT_EQ(lost.StepBack(4), 1u);
  EXPECT_EQ(lost.StepBack(9), 9u);
  EXPECT_EQ(lost.StepBack(15), 10u);
  EXPECT_EQ(lost.StepBack(20), 10u);
  EXPECT_EQ(lost.StepBack(21), 21u);
}

TEST(LostRangesTest, OnlyWhatLiesInsideIsCounted) {
  const LostRanges lost({{1, 3}, {10, 19}});

  EXPECT_EQ(lost.CountIn(1, 100), 13u);
  EXPECT_EQ(lost.CountIn(3, 10), 2u);
  EXPECT_EQ(lost.CountIn(12, 13), 2u);
  EXPECT_EQ(lost.CountIn(4, 9), 0u);
}

}  // namespace
}  // namespace pvebus::bus
