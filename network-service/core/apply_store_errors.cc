#include "network-service/core/apply_store_errors.h"

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"

namespace pvebus::network {

absl::Status RequestIdInUse(const std::string& request_id) {
  return MakeError(absl::StatusCode::kAlreadyExists, "REQUEST_ID_IN_USE",
                   absl::StrFormat("there is an apply with the request id '%s' already", request_id),
                   {{"request_id", request_id}});
}

absl::Status NoSuchApply(int64_t number) {
  return MakeError(absl::StatusCode::kNotFound, "APPLY_NOT_FOUND",
                   absl::StrFormat("there is no apply with the number %d", number), {{"number", absl::StrFormat("%d", number)}});
}

}  // namespace pvebus::network
