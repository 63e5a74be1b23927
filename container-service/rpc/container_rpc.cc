#include "container-service/rpc/container_rpc.h"

#include "absl/strings/str_format.h"
#include "google/protobuf/util/time_util.h"
#include "sdk/base/error.h"

namespace pvebus::container {
namespace {

using google::protobuf::util::TimeUtil;

constexpr uint32_t kMinId = 100;
constexpr uint32_t kMaxId = 999'999'999;

absl::Status IdInvalid(uint32_t id) {
  return MakeError(absl::StatusCode::kInvalidArgument, "ID_INVALID",
                   absl::StrFormat("container_id is %u; a container's vmid is %u..%u", id, kMinId, kMaxId),
                   {{"field", "container_id"}});
}

absl::Status TimeInvalid(std::string_view field, std::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, "TIME_INVALID", absl::StrFormat("%s %s", field, what),
                   {{"field", std::string(field)}});
}

// A time beyond what the machine can count is the last, or the first, that it can.
absl::StatusOr<SystemTime> ParseTime(std::string_view field, const google::protobuf::Timestamp& time) {
  if (time.seconds() < TimeUtil::kTimestampMinSeconds || time.seconds() > TimeUtil::kTimestampMaxSeconds || time.nanos() < 0 ||
      time.nanos() > 999'999'999) {
    return TimeInvalid(field, "must be a time between the years 1 and 9999");
  }
  const std::chrono::seconds seconds(time.seconds());
  if (seconds <= std::chrono::floor<std::chrono::seconds>(SystemTime::min().time_since_epoch())) return SystemTime::min();
  if (seconds >= std::chrono::floor<std::chrono::seconds>(SystemTime::max().time_since_epoch())) return SystemTime::max();
  return SystemTime(seconds) + std::chrono::nanoseconds(time.nanos());
}

}  // namespace

absl::StatusOr<std::string> ContainerRpc::ResourceAskedFor(const v1::ListHookExecutionsRequest& request) const {
  const uint32_t id = request.container_id();
  if (id == 0) return std::string();
  if (id < kMinId || id > kMaxId) return IdInvalid(id);
  return "container/" + std::to_string(id);
}

absl::Status ContainerRpc::SetStartBounds(const v1::ListHookExecutionsRequest& request, hooks::ExecutionQuery& query) const {
  if (request.has_start_time()) {
    const absl::StatusOr<SystemTime> from = ParseTime("start_time", request.start_time());
    if (!from.ok()) return from.status();
    query.from = *from;
  }
  if (request.has_end_time()) {
    const absl::StatusOr<SystemTime> until = ParseTime("end_time", request.end_time());
    if (!until.ok()) return until.status();
    query.until = *until;
  }
  if (request.has_start_time() && request.has_end_time() && request.end_time() < request.start_time()) {
    return TimeInvalid("end_time", "must not be before start_time");
  }
  return absl::OkStatus();
}

}  // namespace pvebus::container
