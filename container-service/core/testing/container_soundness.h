#pragma once

#include <string>
#include <string_view>

#include "container-service/core/container_config.h"

namespace pvebus::container {

// What must hold of a container whatever its file has: for the mutation test, and for a fuzz target, which is
//   if (!WhyUnsound(ParseContainerConfig(text, 101, vnets), text).empty()) abort();
// The first promise that is broken; empty when none is.
std::string WhyUnsound(const ContainerConfig& config, std::string_view text);

}  // namespace pvebus::container
