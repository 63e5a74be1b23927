#include "bus-service/core/filter.h"

#include "bus-service/core/event.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "sdk/base/random.h"

namespace pvebus::bus {
namespace {

Event SomeEvent() {
  Event event;
  event.type = EventType::kContainerStarted;
  event.source = "pve1/lxc";
  event.subject = "vm 101";
  event.ordering_key = "container/101";
  event.attributes = {{"rack", "7"}, {"zone", "north"}, {"empty", ""}, {"a key", "odd"}};
  return event;
}

bool Matches(std::string_view text, const Event& event = SomeEvent()) {
  const auto filter = Filter::ParseForEvents(text);
  EXPECT_TRUE(filter.ok()) << text << ": " << filter.status();
  return filter.ok() && filter->Matches(event);
}

absl::Status ErrorOf(std::string_view text) { return Filter::ParseForEvents(text).status(); }

std::string PositionOf(std::string_view text) {
  const absl::Status status = ErrorOf(text);
  EXPECT_EQ(ErrorReason(status), "FILTER_INVALID") << text << ": " << status;
  return status.ok() ? "" : ErrorMetadata(status)["position"];
}

TEST(FilterTest, AnEmptyFilterMatchesEverything) {
  EXPECT_TRUE(Matches(""));
  EXPECT_TRUE(Matches(" \t\r\n "));
  EXPECT_TRUE(Filter().Matches(SomeEvent()));
}

TEST(FilterTest, EqualityComparesTheWholeValue) {
  EXPECT_TRUE(Matches("event_type = container_started"));
  EXPECT_TRUE(Matches("event_type=\"container_started\""));
  EXPECT_TRUE(Matches("subject = 'vm 101'"));
  EXPECT_FALSE(Matches("subject = vm"));
  EXPECT_TRUE(Matches("source != pve2/lxc"));
  EXPECT_FALSE(Matches("source != pve1/lxc"));
}

TEST(FilterTest, AStarAtEitherEndStandsForAnything) {
  EXPECT_TRUE(Matches("ordering_key = \"container/*\""));
  EXPECT_TRUE(Matches("ordering_key = *101"));
  EXPECT_TRUE(Matches("ordering_key = *tainer*"));
  EXPECT_TRUE(Matches("ordering_key = *"));
  EXPECT_FALSE(Matches("ordering_key = storage/*"));
  EXPECT_FALSE(Matches("ordering_key = *102"));
  EXPECT_FALSE(Matches("ordering_key != container/*"));
  EXPECT_FALSE(Matches("ordering_key = cont*101")) << "a star in the middle is a star";
}

TEST(FilterTest, HasLooksInsideAndAStarAsksWhetherItIsThere) {
  EXPECT_TRUE(Matches("subject:101"));
  EXPECT_FALSE(Matches("subject:102"));
  EXPECT_TRUE(Matches("attributes.rack:*"));
  EXPECT_FALSE(Matches("attributes.absent:*"));
  EXPECT_FALSE(Matches("attributes.empty:*"));
}

TEST(FilterTest, NumbersAreComparedAsNumbersAndTextAsText) {
  EXPECT_TRUE(Matches("attributes.rack > 6"));
  EXPECT_TRUE(Matches("attributes.rack < 10")) << "as text 10 would be less than 7";
  EXPECT_TRUE(Matches("attributes.rack >= 7 attributes.rack <= 7.0"));
  EXPECT_FALSE(Matches("attributes.rack > 7"));
  EXPECT_TRUE(Matches("attributes.zone > east"));
  EXPECT_FALSE(Matches("attributes.zone < east"));
}

TEST(FilterTest, AnAbsentAttributeEqualsNothingAndIsNeitherLessNorMore) {
  EXPECT_FALSE(Matches("attributes.absent = x"));
  EXPECT_TRUE(Matches("attributes.absent != x"));
  EXPECT_FALSE(Matches("attributes.absent < 1"));
  EXPECT_FALSE(Matches("attributes.absent >= 1"));
  EXPECT_TRUE(Matches("attributes.empty = \"\""));
}

TEST(FilterTest, MapKeysMayBeQuoted) {
  EXPECT_TRUE(Matches("attributes.\"a key\" = odd"));
  EXPECT_TRUE(Matches("attributes.'rack' = 7"));
}

TEST(FilterTest, OrBindsTighterThanAnd) {
  // As in AIP-160: a AND (b OR c). The other way round this would be true.
  EXPECT_FALSE(Matches("source = nobody AND subject = x OR event_type = container_started"));
  EXPECT_TRUE(Matches("(source = nobody AND subject = x) OR event_type = container_started"));
  EXPECT_TRUE(Matches("source = x OR source = pve1/lxc AND attributes.rack = 7"));
}

TEST(FilterTest, BlanksMeanAnd) {
  EXPECT_TRUE(Matches("source = pve1/lxc attributes.rack = 7"));
  EXPECT_FALSE(Matches("source = pve1/lxc attributes.rack = 8"));
}

TEST(FilterTest, NotAndMinusNegateWhatFollows) {
  EXPECT_FALSE(Matches("NOT source = pve1/lxc"));
  EXPECT_TRUE(Matches("-source = pve2/lxc"));
  EXPECT_TRUE(Matches("NOT (source = x OR source = y) attributes.rack = 7"));
  EXPECT_TRUE(Matches("NOT source = x AND attributes.rack = 7"));
}

TEST(FilterTest, AQuoteInsideAQuoteIsEscaped) {
  Event event = SomeEvent();
  event.subject = "say \"hi\"";
  EXPECT_TRUE(Matches(R"(subject = "say \"hi\"")", event));
  EXPECT_TRUE(Matches(R"(subject = 'say "hi"')", event));
}

TEST(FilterTest, TheTextIsKept) { EXPECT_EQ(Filter::ParseForEvents("source = x")->text(), "source = x"); }

TEST(FilterTest, AComparisonThatCouldNeverBeTrueIsRefused) {
  EXPECT_EQ(ErrorReason(ErrorOf("event_type = container")), "FILTER_INVALID");
  EXPECT_NE(std::string(ErrorOf("event_type = CONTAINER_STARTED").message()).find("did you mean"), std::string::npos);
  EXPECT_TRUE(ErrorOf("event_type = container*").ok());
  EXPECT_TRUE(ErrorOf("event_type != custom").ok());
}

TEST(FilterTest, ErrorsNameThePosition) {
  EXPECT_EQ(PositionOf("source"), "7");
  EXPECT_EQ(PositionOf("source ="), "9");
  EXPECT_EQ(PositionOf("source = x AND"), "15");
  EXPECT_EQ(PositionOf("source = x OR"), "14");
  EXPECT_EQ(PositionOf("source = x) "), "11");
  EXPECT_EQ(PositionOf("(source = x"), "12");
  EXPECT_EQ(PositionOf("source = \"x"), "10");
  EXPECT_EQ(PositionOf("source ~ x"), "8");
  EXPECT_EQ(PositionOf("source = x AND colour = red"), "16");
  EXPECT_EQ(PositionOf("()"), "2");
  EXPECT_EQ(PositionOf("AND source = x"), "1");
  EXPECT_EQ(PositionOf("NOT"), "4");
  EXPECT_EQ(PositionOf("attributes. = x"), "1");
}

TEST(FilterTest, AnUnknownFieldIsToldWhichOneIsMeant) {
  EXPECT_NE(std::string(ErrorOf("suorce = x").message()).find("did you mean 'source'?"), std::string::npos);
  EXPECT_NE(std::string(ErrorOf("suorce = x").message()).find("attributes.KEY"), std::string::npos);
}

TEST(FilterTest, TheLongestFilterHas2048Bytes) {
  const std::string start = "source = ";
  EXPECT_TRUE(ErrorOf(start + std::string(Filter::kMaxBytes - start.size(), 'x')).ok());
  EXPECT_EQ(ErrorReason(ErrorOf(start + std::string(Filter::kMaxBytes - start.size() + 1, 'x'))), "FILTER_INVALID");
}

TEST(FilterTest, ParenthesesNestOnlySoDeep) {
  const auto nested = [](size_t depth) { return std::string(depth, '(') + "source = x" + std::string(depth, ')'); };
  EXPECT_TRUE(ErrorOf(nested(32)).ok());
  EXPECT_EQ(ErrorReason(ErrorOf(nested(33))), "FILTER_INVALID");
  EXPECT_EQ(ErrorReason(ErrorOf(nested(1000))), "FILTER_INVALID");
}

TEST(FilterTest, WhateverIsThrownAtItGetsAnAnswer) {
  const std::string_view kPieces[] = {
      "source", "subject", "attributes.", "attributes.x", "\"",  "'", "(", ")",  "=", "!=", "<",  "<=", ">", ">=",
      ":",      "*",       "AND",         "OR",           "NOT", "-", " ", "\\", "7", "x",  "\n", ".",  "é", "nan"};
  SeededRandom random(42);
  int valid = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (uint64_t length = random.Next() % 20; length > 0; --length) {
      if (random.Next() % 8 == 0) {
        text += static_cast<char>(random.Next());
      } else {
        text += kPieces[random.Next() % std::size(kPieces)];
        if (random.Next() % 2) text += ' ';
      }
    }
    const auto filter = Filter::ParseForEvents(text);
    if (filter.ok()) {
      ++valid;
      filter->Matches(SomeEvent());
    } else {
      ASSERT_EQ(ErrorReason(filter.status()), "FILTER_INVALID");
      const int position = std::stoi(ErrorMetadata(filter.status())["position"]);
      ASSERT_GE(position, 1);
      ASSERT_LE(position, static_cast<int>(text.size()) + 1) << text;
    }
  }
  EXPECT_GT(valid, 100) << "the pieces must make sense sometimes";
}

}  // namespace
}  // namespace pvebus::bus
