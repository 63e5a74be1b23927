#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace pvebus::bus {

// What errno says, as a status: RESOURCE_EXHAUSTED when there is no room, otherwise PERMISSION_DENIED.
absl::Status SystemError(std::string_view doing, const std::string& path, int error);
// Makes what happened in a directory outlive a power failure.
absl::Status SyncDirectory(const std::string& directory);

}  // namespace pvebus::bus
