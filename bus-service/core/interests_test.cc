#include "bus-service/core/interests.h"

#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

Event At(Sequence sequence, EventType type = EventType::kCustom, const std::string& source = "") {
  Event event;
  event.sequence = sequence;
  event.type = type;
  event.source = source;
  return event;
}

constexpr uint32_t kOnlyCustom = 1u << static_cast<int>(EventType::kCustom);
constexpr uint32_t kOnlyNetwork = 1u << static_cast<int>(EventType::kNetworkApplied);

TEST(InterestsTest, AnEventIsForWhomItWasForWhenItWasJournaled) {
  Interests interests;
  EXPECT_TRUE(interests.Set(0, kOnlyCustom, Filter()));
  EXPECT_TRUE(interests.Set(10, kOnlyNetwork, Filter()));

  EXPECT_TRUE(interests.MatchedThen(At(10)));
  EXPECT_FALSE(interests.MatchedThen(At(11)));
  EXPECT_TRUE(interests.MatchedThen(At(11, EventType::kNetworkApplied)));
  EXPECT_FALSE(interests.Matches(At(5))) << "now it wants something else";
}

TEST(InterestsTest, TheSameAgainIsNothingNew) {
  Interests interests;
  const Filter filter = *Filter::ParseForEvents("source = a");
  EXPECT_TRUE(interests.Set(0, 0, filter));
  EXPECT_FALSE(interests.Set(5, 0, *Filter::ParseForEvents("source = a")));
  EXPECT_TRUE(interests.Set(5, 0, *Filter::ParseForEvents("source = b")));
  EXPECT_TRUE(interests.Set(5, 0, *Filter::ParseForEvents("source = c"))) << "b was never in force";
  EXPECT_TRUE(interests.MatchedThen(At(5, EventType::kCustom, "a")));
  EXPECT_TRUE(interests.MatchedThen(At(6, EventType::kCustom, "c")));
}

TEST(InterestsTest, EverythingIsKnownWithoutLookingAtEvents) {
  Interests interests;
  EXPECT_FALSE(interests.EverythingSince(1)) << "nothing is not everything";
  interests.Set(0, kOnlyCustom, Filter());
  interests.Set(10, 0, Filter());
  EXPECT_FALSE(interests.EverythingSince(10));
  EXPECT_TRUE(interests.EverythingSince(11));
}

TEST(InterestsTest, WhatWasKeptIsMadeAgain) {
  const Interests interests({{0, kOnlyNetwork, ""}, {7, 0, "source = x"}});
  EXPECT_FALSE(interests.MatchedThen(At(3)));
  EXPECT_TRUE(interests.MatchedThen(At(8, EventType::kCustom, "x")));
  EXPECT_EQ(interests.filter().text(), "source = x");
}

}  // namespace
}  // namespace pvebus::bus
