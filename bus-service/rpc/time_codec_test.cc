#include "bus-service/rpc/time_codec.h"

#include <chrono>

#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

using std::chrono::hours;
using std::chrono::nanoseconds;
using std::chrono::seconds;

google::protobuf::Timestamp Time(int64_t whole, int32_t nanos) {
  google::protobuf::Timestamp time;
  time.set_seconds(whole);
  time.set_nanos(nanos);
  return time;
}

google::protobuf::Duration Span(int64_t whole, int32_t nanos) {
  google::protobuf::Duration duration;
  duration.set_seconds(whole);
  duration.set_nanos(nanos);
  return duration;
}

template <typename T>
std::string Refused(const absl::StatusOr<T>& result) {
  return result.ok() ? "" : ErrorReason(result.status()) + " " + ErrorMetadata(result.status())["field"];
}

TEST(TimeCodecTest, TimesAndDurationsSurviveTheWayThereAndBackToTheNanosecond) {
  for (const int64_t nanos :
       {int64_t{0}, int64_t{1}, int64_t{999'999'999}, int64_t{1'000'000'000}, int64_t{1'700'000'000'123'456'789}}) {
    const SystemTime time{nanoseconds(nanos)};
    EXPECT_EQ(*FromProto("f", ToProto(time)), time);
  }
  for (const Duration duration : {Duration(0), Duration(1), Duration(seconds(1)) - Duration(1), Duration(hours(24 * 365))}) {
    EXPECT_EQ(*FromProto("f", ToProto(duration)), duration);
  }
}

TEST(TimeCodecTest, ATimeLiesBetween1970And2260) {
  EXPECT_TRUE(FromProto("f", Time(0, 0)).ok());
  EXPECT_TRUE(FromProto("f", Time(9'151'488'000, 999'999'999)).ok());
  EXPECT_EQ(Refused(FromProto("f", Time(-1, 0))), "FIELD_INVALID f");
  EXPECT_EQ(Refused(FromProto("f", Time(9'151'488'001, 0))), "FIELD_INVALID f");
  EXPECT_EQ(Refused(FromProto("f", Time(INT64_MAX, 0))), "FIELD_INVALID f");
  EXPECT_EQ(Refused(FromProto("f", Time(INT64_MIN, 0))), "FIELD_INVALID f");
  EXPECT_EQ(Refused(FromProto("f", Time(1, -1))), "FIELD_INVALID f");
  EXPECT_EQ(Refused(FromProto("f", Time(1, 1'000'000'000))), "FIELD_INVALID f");
}

TEST(TimeCodecTest, ADurationLiesBetween0And365Days) {
  EXPECT_TRUE(FromProto("f", Span(0, 0)).ok());
  EXPECT_TRUE(FromProto("f", Span(365 * 86400, 999'999'999)).ok());
  EXPECT_EQ(Refused(FromProto("f", Span(365 * 86400 + 1, 0))), "FIELD_INVALID f");
  EXPECT_EQ(Refused(FromProto("f", Span(-1, 0))), "FIELD_INVALID f");
  EXPECT_EQ(Refused(FromProto("f", Span(0, -1))), "FIELD_INVALID f");
  EXPECT_EQ(Refused(FromProto("f", Span(0, 1'000'000'000))), "FIELD_INVALID f");
  EXPECT_EQ(Refused(FromProto("f", Span(INT64_MAX, 0))), "FIELD_INVALID f");
}

}  // namespace
}  // namespace pvebus::bus
