#include "container-service/core/container_starts.h"

#include "gtest/gtest.h"

namespace pvebus::container {
namespace {

TEST(ContainerStartsTest, StartsAreCountedPerContainer) {
  ContainerStarts starts;

  EXPECT_EQ(starts.Record(101, "e1", false).count, 1u);
  EXPECT_EQ(starts.Record(102, "e2", false).count, 1u);
  EXPECT_EQ(starts.Record(101, "e3", false).count, 2u);

  EXPECT_EQ(starts.CountOf(101), 2u);
  EXPECT_EQ(starts.CountOf(102), 1u);
  EXPECT_EQ(starts.CountOf(103), 0u);
}

TEST(ContainerStartsTest, RedeliveredEventIsCountedOnce) {
  ContainerStarts starts;
  starts.Record(101, "e1", false);

  const ContainerStarts::Start again = starts.Record(101, "e1", false);

  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.count, 1u);
  EXPECT_EQ(starts.CountOf(101), 1u);
}

TEST(ContainerStartsTest, OnlyTheLastEventsAreRemembered) {
  ContainerStarts starts({.remembered_events = 2});
  starts.Record(101, "e1", false);
  starts.Record(101, "e2", false);
  starts.Record(101, "e3", false);

  EXPECT_TRUE(starts.Record(101, "e3", false).repeated);
  EXPECT_FALSE(starts.Record(101, "e1", false).repeated);
}

TEST(ContainerStartsTest, ContainerWithTheOldestStartIsForgottenWhenThereAreTooMany) {
  ContainerStarts starts({.max_containers = 2});
  starts.Record(101, "e1", false);
  starts.Record(102, "e2", false);
  starts.Record(101, "e3", false);

  EXPECT_EQ(starts.Record(103, "e4", false).forgotten, 102u);

  EXPECT_EQ(starts.container_count(), 2u);
  EXPECT_EQ(starts.CountOf(101), 2u);
  EXPECT_EQ(starts.CountOf(102), 0u);
  EXPECT_EQ(starts.CountOf(103), 1u);
}

TEST(ContainerStartsTest, CountsGoOnWhereAnEarlierProcessEnded) {
  ContainerStarts starts({.max_containers = 2});
  starts.Restore(102, 7);
  starts.Restore(101, 3);

  EXPECT_EQ(starts.Record(101, "e9", false).count, 4u);
  EXPECT_EQ(starts.Record(103, "e10", false).forgotten, 102u) << "its last start is the oldest";
}

TEST(ContainerStartsTest, EventThatAnEarlierProcessHasCountedIsNotCountedAgain) {
  ContainerStarts starts;
  starts.Restore(101, 3);

  const ContainerStarts::Start again = starts.Record(101, "e1", true);

  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.count, 3u);
}

}  // namespace
}  // namespace pvebus::container
