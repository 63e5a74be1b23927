#include "cli/duration.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::cli {
namespace {

using std::chrono::milliseconds;

TEST(DurationTest, UnitsAreUnderstood) {
  EXPECT_EQ(ParseDuration("500ms").value(), milliseconds(500));
  EXPECT_EQ(ParseDuration("10s").value(), milliseconds(10'000));
  EXPECT_EQ(ParseDuration("1.5s").value(), milliseconds(1'500));
  EXPECT_EQ(ParseDuration("2m").value(), milliseconds(120'000));
  EXPECT_EQ(ParseDuration("1h30m").value(), milliseconds(5'400'000));
  EXPECT_EQ(ParseDuration("0").value(), milliseconds(0));
}

TEST(DurationTest, WhatIsNoDurationIsRefused) {
  for (const char* text : {"", "s", "10 s", "-1s", "inf", "10x", "99999999h"}) {
    EXPECT_EQ(ParseDuration(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(DurationTest, AMissingUnitIsNamed) {
  EXPECT_THAT(std::string(ParseDuration("10").status().message()), testing::HasSubstr("did you mean '10s'?"));
}

TEST(DurationTest, DurationsAreShownInTheUnitThatFits) {
  EXPECT_EQ(FormatDuration(std::chrono::microseconds(180)), "180us");
  EXPECT_EQ(FormatDuration(std::chrono::microseconds(3'240)), "3.2ms");
  EXPECT_EQ(FormatDuration(milliseconds(1'500)), "1.5s");
  EXPECT_EQ(FormatDuration(std::chrono::seconds(150)), "2m30s");
}

TEST(DurationTest, ATimeIsReadInItsZone) {
  EXPECT_EQ(ParseTime("2026-11-23T12:00:00Z").value().seconds(), 1'795'435'200);
  EXPECT_EQ(ParseTime("2026-11-23T13:00:00+01:00").value().seconds(), 1'795'435'200);
  EXPECT_FALSE(ParseTime("yesterday").ok());
  EXPECT_FALSE(ParseTime("").ok());
}

TEST(DurationTest, ATimeIsReadAsItIsWrittenHere) {
  const auto time = ParseTime("2026-11-23T12:00:00.250Z").value();

  const std::string written = FormatTime(time);

  EXPECT_EQ(ParseTime(written).value().seconds(), time.seconds()) << written;
  EXPECT_EQ(ParseTime(written).value().nanos(), 250'000'000) << written;
  EXPECT_EQ(ParseTime(written.substr(0, 16)).value().seconds(), time.seconds()) << "to the minute";
  EXPECT_EQ(FormatTime(ParseTime("2026-11-23").value()), "2026-11-23 00:00:00.000");
}

TEST(DurationTest, AnAgeIsShownInItsTwoLargestUnits) {
  const SystemTime now{std::chrono::seconds(1'795'435'200)};
  const auto age = [now](std::chrono::milliseconds ago) {
    const auto since_epoch = std::chrono::duration_cast<std::chrono::milliseconds>((now - ago).time_since_epoch()).count();
    google::protobuf::Timestamp time;
    time.set_seconds(since_epoch / 1000);
    time.set_nanos(static_cast<int32_t>(since_epoch % 1000) * 1'000'000);
    return FormatAge(time, now);
  };

  EXPECT_EQ(age(milliseconds(-5000)), "now");  // another clock
  EXPECT_EQ(age(milliseconds(999)), "now");
  EXPECT_EQ(age(std::chrono::seconds(12)), "12s");
  EXPECT_EQ(age(std::chrono::seconds(303)), "5m3s");
  EXPECT_EQ(age(std::chrono::minutes(125)), "2h5m");
  EXPECT_EQ(age(std::chrono::hours(76)), "3d4h");
  EXPECT_EQ(FormatAge({}, now), "-");
}

}  // namespace
}  // namespace pvebus::cli
