#include "sdk/client/recent_events.h"

#include "gtest/gtest.h"

namespace pvebus::client {
namespace {

bus::v1::Acknowledgement Said(const std::string& message) {
  bus::v1::Acknowledgement acknowledgement;
  acknowledgement.add_hook_results()->set_message(message);
  return acknowledgement;
}

TEST(RecentEventsTest, WhatWasSaidIsSaidAgain) {
  RecentEvents recent(10);

  recent.Remember("a", Said("vmbr1 is up"));

  const auto found = recent.Find("a");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->hook_results(0).message(), "vmbr1 is up");
  EXPECT_FALSE(recent.Find("b"));
}

TEST(RecentEventsTest, AtLeastTheCapacityIsRememberedAndAtMostTwiceAsMany) {
  RecentEvents recent(2);

  for (const char* id : {"a", "b", "c", "d", "e"}) recent.Remember(id, {});

  EXPECT_FALSE(recent.Find("a"));
  EXPECT_FALSE(recent.Find("b"));
  EXPECT_TRUE(recent.Find("c"));
  EXPECT_TRUE(recent.Find("d"));
  EXPECT_TRUE(recent.Find("e"));
}

TEST(RecentEventsTest, WhatIsSaidAgainCountsOnce) {
  RecentEvents recent(2);

  for (const char* id : {"a", "a", "a", "a", "b"}) recent.Remember(id, {});

  EXPECT_TRUE(recent.Find("a"));
  EXPECT_TRUE(recent.Find("b"));
}

TEST(RecentEventsTest, LongHookResultsAreNotKept) {
  RecentEvents recent(2);

  recent.Remember("a", Said(std::string(2000, 'x')));

  const auto found = recent.Find("a");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->hook_results_size(), 0);
}

TEST(RecentEventsTest, CapacityZeroRemembersNothing) {
  RecentEvents recent(0);

  recent.Remember("a", {});

  EXPECT_FALSE(recent.Find("a"));
}

}  // namespace
}  // namespace pvebus::client
