#pragma once

#include <string>
#include <vector>

#include "network-service/core/interface.h"

namespace pvebus::network {

// Interfaces that need each other in a circle, each circle from its first name on in the direction "needs". Every interface is in
// one of them at most. Any thread.
std::vector<std::vector<std::string>> DependencyCycles(const Interfaces& interfaces);

}  // namespace pvebus::network
