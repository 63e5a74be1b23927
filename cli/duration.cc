#include "cli/duration.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "sdk/base/error.h"
#include "sdk/client/proto_time.h"

namespace pvebus::cli {
namespace {

bool IsNumber(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

bool IsSet(const google::protobuf::Timestamp& time) { return time.seconds() != 0 || time.nanos() != 0; }

std::string FormatWith(const char* format, const google::protobuf::Timestamp& time) {
  if (!IsSet(time)) return "-";
  return absl::FormatTime(format, absl::FromChrono(client::FromProto(time)), absl::LocalTimeZone());
}

}  // namespace

absl::StatusOr<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  absl::Duration duration;
  const bool parsed = absl::ParseDuration(absl::string_view(text.data(), text.size()), &duration);
  if (parsed && duration >= absl::ZeroDuration() && duration < absl::Hours(24 * 366)) return absl::ToChronoMilliseconds(duration);
  const std::string hint = IsNumber(text) ? absl::StrFormat(": the unit is missing, did you mean '%ss'?", text) : "";
  return MakeError(absl::StatusCode::kInvalidArgument, "DURATION_INVALID",
                   absl::StrFormat("'%s' is not a duration%s (for example 500ms, 10s, 1m30s, 2h)", text, hint));
}

std::string FormatDuration(std::chrono::nanoseconds duration) {
  const auto count = static_cast<double>(duration.count());
  if (duration < std::chrono::milliseconds(1)) return absl::StrFormat("%.0fus", count / 1e3);
  if (duration < std::chrono::seconds(1)) return absl::StrFormat("%.1fms", count / 1e6);
  if (duration < std::chrono::minutes(1)) return absl::StrFormat("%.1fs", count / 1e9);
  return absl::FormatDuration(absl::Trunc(absl::FromChrono(duration), absl::Seconds(1)));
}

std::string FormatDuration(const google::protobuf::Duration& duration) { return FormatDuration(client::FromProto(duration)); }

std::string FormatAge(const google::protobuf::Timestamp& time, SystemTime now) {
  if (!IsSet(time)) return "-";
  const int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(now - client::FromProto(time)).count();
  if (seconds < 1) return "now";
  if (seconds < 60) return absl::StrFormat("%ds", seconds);
  if (seconds < 3600) return absl::StrFormat("%dm%ds", seconds / 60, seconds % 60);
  if (seconds < 24 * 3600) return absl::StrFormat("%dh%dm", seconds / 3600, seconds % 3600 / 60);
  return absl::StrFormat("%dd%dh", seconds / (24 * 3600), seconds % (24 * 3600) / 3600);
}

absl::StatusOr<google::protobuf::Timestamp> ParseTime(std::string_view text) {
  const absl::string_view source(text.data(), text.size());
  absl::Time time;
  std::string error;
  for (const char* local : {"%Y-%m-%d %H:%M:%E*S", "%Y-%m-%dT%H:%M:%E*S", "%Y-%m-%d %H:%M", "%Y-%m-%d"}) {
    if (absl::ParseTime(local, source, absl::LocalTimeZone(), &time, &error)) return client::ToProto(absl::ToChronoTime(time));
  }
  if (absl::ParseTime(absl::RFC3339_full, source, &time, &error)) return client::ToProto(absl::ToChronoTime(time));
  return MakeError(absl::StatusCode::kInvalidArgument, "TIME_INVALID",
                   absl::StrFormat("'%s' is not a time (for example 2026-11-23T12:00:00Z): %s", text, error));
}

std::string FormatTime(const google::protobuf::Timestamp& time) { return FormatWith("%Y-%m-%d %H:%M:%E3S", time); }
std::string FormatTimeOfDay(const google::protobuf::Timestamp& time) { return FormatWith("%H:%M:%E3S", time); }

}  // namespace pvebus::cli
