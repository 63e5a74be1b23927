#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace pvebus::network {

// What every ApplyStore answers.
absl::Status RequestIdInUse(const std::string& request_id);  // ALREADY_EXISTS REQUEST_ID_IN_USE
absl::Status NoSuchApply(int64_t number);                    // NOT_FOUND APPLY_NOT_FOUND

}  // namespace pvebus::network
