#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "sdk/base/clock.h"

namespace pvebus::bus {

// Protobuf's times <-> ours. Any thread.

google::protobuf::Timestamp ToProto(SystemTime time);
google::protobuf::Duration ToProto(Duration duration);
// FIELD_INVALID when it is no time, or one that the machine cannot count (before 1970, after 2260).
absl::StatusOr<SystemTime> FromProto(std::string_view field, const google::protobuf::Timestamp& time);
// FIELD_INVALID when it is no duration, negative, or above 365 days.
absl::StatusOr<Duration> FromProto(std::string_view field, const google::protobuf::Duration& duration);

}  // namespace pvebus::bus
