#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace pvebus {

// What the kernel's networking can refuse, as the user sees it. `doing` is what was tried: "create vmbr0.100".
absl::Status NetAdminMissing(std::string_view doing);                              // FAILED_PRECONDITION NET_ADMIN_MISSING
absl::Status KernelSupportMissing(std::string_view doing, std::string_view what);  // FAILED_PRECONDITION KERNEL_SUPPORT_MISSING
absl::Status KernelRefused(std::string_view doing, std::string_view why);          // FAILED_PRECONDITION KERNEL_REFUSED
absl::Status LinkMissing(std::string_view link);                                   // NOT_FOUND LINK_MISSING
absl::Status LinkExists(std::string_view link);                                    // ALREADY_EXISTS LINK_EXISTS
absl::Status NetworkUnsettled();                                                   // UNAVAILABLE NETWORK_UNSETTLED

}  // namespace pvebus
