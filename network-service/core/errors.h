#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace pvebus::network {

// Every error of network-service that a user sees. `error` is an errno.
absl::Status ConfigurationLocked(std::string_view path);  // UNAVAILABLE CONFIGURATION_LOCKED
absl::Status ConfigurationUnreadable(std::string_view path,
                                     std::string_view why);               // FAILED_PRECONDITION CONFIGURATION_UNREADABLE
absl::Status ConfigurationUnwatchable(std::string_view path, int error);  // FAILED_PRECONDITION CONFIGURATION_UNWATCHABLE
// FAILED_PRECONDITION CONFIGURATION_UNWRITABLE; without room RESOURCE_EXHAUSTED DISK_FULL.
absl::Status ConfigurationUnwritable(std::string_view path, int error);
absl::Status Ifupdown2Missing(std::string_view path);                     // FAILED_PRECONDITION IFUPDOWN2_MISSING
absl::Status PrivilegesMissing(uint32_t user_id);                         // FAILED_PRECONDITION PRIVILEGES_MISSING
absl::Status ProgramNotRun(std::string_view path, std::string_view why);  // FAILED_PRECONDITION PROGRAM_NOT_RUN
absl::Status WaitStopped(std::string_view what);                          // CANCELLED WAIT_STOPPED

}  // namespace pvebus::network
