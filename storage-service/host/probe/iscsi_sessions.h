#pragma once

#include <set>
#include <string>

#include "absl/status/statusor.h"

namespace pvebus::storage {

// The targets that the node is logged in to now. `sys` is where sysfs is mounted. Without the kernel's iSCSI there are none.
absl::StatusOr<std::set<std::string>> ReadIscsiSessions(const std::string& sys);

}  // namespace pvebus::storage
