#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace pvebus::container {

// Every error of the spool. Any thread.

// RESOURCE_EXHAUSTED SPOOL_FULL or PERMISSION_DENIED SPOOL_UNUSABLE, by `error` (an errno); what was done to which path.
absl::Status SpoolUnusable(std::string_view doing, const std::string& path, int error);
// INVALID_ARGUMENT SPOOL_EVENT_INVALID: the event cannot be left as a file.
absl::Status SpoolEventInvalid(const std::string& request_id, std::string_view why);

}  // namespace pvebus::container
