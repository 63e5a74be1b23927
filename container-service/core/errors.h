#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace pvebus::container {

inline constexpr uint32_t kLowestContainerId = 100;
inline constexpr uint32_t kHighestContainerId = 999'999'999;

// Every error of container-service that a user sees.
absl::Status IdInvalid(uint32_t container_id);                                    // INVALID_ARGUMENT ID_INVALID
absl::Status ContainerNotFound(uint32_t container_id, std::string_view path);     // NOT_FOUND CONTAINER_NOT_FOUND
absl::Status ContainerUnreadable(std::string_view path, std::string_view why);    // FAILED_PRECONDITION CONTAINER_UNREADABLE
absl::Status EventTypeInvalid(int event_type);                                    // INVALID_ARGUMENT EVENT_TYPE_INVALID
absl::Status InterfaceInvalid(std::string_view interface, std::string_view why);  // INVALID_ARGUMENT INTERFACE_INVALID

// OK, or IdInvalid.
absl::Status CheckContainerId(uint32_t container_id);

}  // namespace pvebus::container
