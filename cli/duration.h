#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "sdk/base/clock.h"

namespace pvebus::cli {

// Times as operators write and read them. Times of the contract become ours in sdk/client/proto_time.h.

// "500ms", "10s", "1m30s", "2h". INVALID_ARGUMENT that says what is allowed.
absl::StatusOr<std::chrono::milliseconds> ParseDuration(std::string_view text);

// For eyes: "180us", "3.2ms", "1.5s", "2m30s".
std::string FormatDuration(std::chrono::nanoseconds duration);
std::string FormatDuration(const google::protobuf::Duration& duration);

// How long ago that was at `now`, in its two largest units: "now", "12s", "5m3s", "2h5m", "3d4h". "-" when it is not set.
std::string FormatAge(const google::protobuf::Timestamp& time, SystemTime now);

// RFC 3339 ("2026-11-23T12:00:00Z"), or without a zone, in the machine's: as FormatTime writes it, to the minute, or a date.
absl::StatusOr<google::protobuf::Timestamp> ParseTime(std::string_view text);
// In the machine's time zone, for eyes: "2026-11-23 12:00:00.123". "-" when it is not set.
std::string FormatTime(const google::protobuf::Timestamp& time);
// Only the time of day.
std::string FormatTimeOfDay(const google::protobuf::Timestamp& time);

}  // namespace pvebus::cli
