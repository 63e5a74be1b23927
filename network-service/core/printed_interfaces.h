#pragma once

#include <string>
#include <vector>

#include "network-service/core/apply.h"
#include "network-service/core/config_change.h"
#include "network-service/core/interface.h"

namespace pvebus::network {

// Reads what PrintInterfaces wrote. Any thread.
Interfaces ParsePrinted(const std::string& text);

// What an apply changed, or was to change: from its old interfaces to its new ones.
std::vector<ConfigChange> ChangesOf(const ApplyRecord& record);
// The way back.
std::vector<ConfigChange> ChangesBack(const ApplyRecord& record);

}  // namespace pvebus::network
