#include "container-service/core/container_starts.h"

#include "gtest/gtest.h"

namespace pvebus::container {
namespace {

TEST(ContainerStartsTest, StartsAreCountedPerContainer) {
  ContainerStarts starts;

  EXPECT_EQ(starts.Record(101, "e1").count, 1u);
  EXPECT_EQ(starts.Record(102, "e2").count, 1u);
  EXPECT_EQ(starts.Record(101, "e3").count, 2u);

  EXPECT_EQ(starts.CountOf(101), 2u);
  EXPECT_EQ(starts.CountOf(102), 1u);
  EXPECT_EQ(starts.CountOf(103), 0u);
}

TEST(ContainerStartsTest, RedeliveredEventIsCountedOnce) {
  ContainerStarts starts;
  starts.Record(101, "e1");

  const ContainerStarts::Start again = starts.Record(101, "e1");

  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.count, 1u);
  EXPECT_EQ(starts.CountOf(101), 1u);
}

TEST(ContainerStartsTest, OnlyTheLastEventsAreRemembered) {
  ContainerStarts starts({.remembered_events = 2});
  starts.Record(101, "e1");
  starts.Record(101, "e2");
  starts.Record(101, "e3");

  EXPECT_TRUE(starts.Record(101, "e3").repeated);
  EXPECT_FALSE(starts.Record(101, "e1").repeated);
}

TEST(ContainerStartsTest, ContainerWithTheOldestStartIsForgottenWhenThereAreTooMany) {
  ContainerStarts starts({.max_containers = 2});
  starts.Record(101, "e1");
  starts.Record(102, "e2");
  starts.Record(101, "e3");

  starts.Record(103, "e4");

  EXPECT_EQ(starts.container_count(), 2u);
  EXPECT_EQ(starts.CountOf(101), 2u);
  EXPECT_EQ(starts.CountOf(102), 0u);
  EXPECT_EQ(starts.CountOf(103), 1u);
}

}  // namespace
}  // namespace pvebus::container
