#pragma once

#include <string>

#include "network-service/core/config_change.h"

namespace pvebus::network {

// What is promised of a configuration whatever its files are, `bytes` of them: bounds, names, valid UTF-8 where it is said, an
// interface's own text means it. Empty when all of it is kept, else which promise is broken, and where.
std::string WhyUnsound(const NetworkConfiguration& configuration, size_t bytes);
// The same of the changes between two of them.
std::string WhyUnsound(const NetworkConfiguration& before, const NetworkConfiguration& after);

}  // namespace pvebus::network
