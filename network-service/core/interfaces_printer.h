#pragma once

#include <string>

#include "network-service/core/interface.h"

namespace pvebus::network {

// An interfaces file that means exactly this: reading it gives equal interfaces again. By name, `lo` first. Any thread.
std::string PrintInterfaces(const Interfaces& interfaces);

}  // namespace pvebus::network
