#include "sdk/client/verdict.h"

#include <string>

#include "sdk/base/error.h"

namespace pvebus::client {

Verdict Judge(const absl::Status& status) {
  const std::string reason = ErrorReason(status);
  if (reason == "LISTENER_NAME_IN_USE") return Verdict::kNameInUse;
  if (reason == "SESSION_SUPERSEDED") return Verdict::kSuperseded;
  if (reason == "LISTENER_EVICTED" || reason == "LISTENER_DELETED") return Verdict::kRefused;
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kUnimplemented:
      return Verdict::kRefused;
    default:
      return Verdict::kReconnect;
  }
}

}  // namespace pvebus::client
