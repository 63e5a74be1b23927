#include "container-service/host/spool/spool_errors.h"

#include <cerrno>
#include <cstring>

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"

namespace pvebus::container {

absl::Status SpoolUnusable(std::string_view doing, const std::string& path, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return MakeError(full ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kPermissionDenied,
                   full ? "SPOOL_FULL" : "SPOOL_UNUSABLE",
                   absl::StrFormat("%s %s: %s; %s", doing, path, std::strerror(error),
                                   full ? "make room there" : "it must be a directory that this user may write to"),
                   {{"path", path}});
}

absl::Status SpoolEventInvalid(const std::string& request_id, std::string_view why) {
  return MakeError(absl::StatusCode::kInvalidArgument, "SPOOL_EVENT_INVALID",
                   absl::StrFormat("the event of request '%s' cannot be left for the bus: %s", request_id, why),
                   {{"request_id", request_id}});
}

}  // namespace pvebus::container
