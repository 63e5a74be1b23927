#include "sdk/base/recent_ids.h"

#include "gtest/gtest.h"

namespace pvebus {
namespace {

TEST(RecentIdsTest, IdIsNewOnlyOnce) {
  RecentIds ids(10);

  EXPECT_TRUE(ids.Insert("a"));
  EXPECT_FALSE(ids.Insert("a"));
  EXPECT_TRUE(ids.Contains("a"));
  EXPECT_FALSE(ids.Contains("b"));
}

TEST(RecentIdsTest, OldestIsForgottenWhenThereAreTooMany) {
  RecentIds ids(2);
  ids.Insert("a");
  ids.Insert("b");
  ids.Insert("c");

  EXPECT_EQ(ids.size(), 2u);
  EXPECT_FALSE(ids.Contains("a"));
  EXPECT_TRUE(ids.Contains("b"));
  EXPECT_TRUE(ids.Insert("a"));
}

}  // namespace
}  // namespace pvebus
