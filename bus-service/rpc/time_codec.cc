#include "bus-service/rpc/time_codec.h"

#include "bus-service/core/errors.h"

namespace pvebus::bus {
namespace {

constexpr int64_t kNanos = 1'000'000'000;
constexpr int64_t kMostSeconds = 9'151'488'000;  // year 2260

}  // namespace

google::protobuf::Timestamp ToProto(SystemTime time) {
  const int64_t nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
  google::protobuf::Timestamp proto;
  proto.set_seconds(nanos / kNanos);
  proto.set_nanos(static_cast<int32_t>(nanos % kNanos));
  return proto;
}

google::protobuf::Duration ToProto(Duration duration) {
  google::protobuf::Duration proto;
  proto.set_seconds(duration.count() / kNanos);
  proto.set_nanos(static_cast<int32_t>(duration.count() % kNanos));
  return proto;
}

absl::StatusOr<SystemTime> FromProto(std::string_view field, const google::protobuf::Timestamp& time) {
  if (time.seconds() < 0 || time.seconds() > kMostSeconds || time.nanos() < 0 || time.nanos() >= kNanos) {
    return FieldInvalid(field, "must be a time between 1970 and 2260");
  }
  return SystemTime(std::chrono::duration_cast<SystemTime::duration>(Duration(time.seconds() * kNanos + time.nanos())));
}

absl::StatusOr<Duration> FromProto(std::string_view field, const google::protobuf::Duration& duration) {
  if (duration.seconds() < 0 || duration.seconds() > int64_t{365} * 86400 || duration.nanos() < 0 || duration.nanos() >= kNanos) {
    return FieldInvalid(field, "must be a duration between 0 and 365 days");
  }
  return Duration(duration.seconds() * kNanos + duration.nanos());
}

}  // namespace pvebus::bus
