#pragma once

#include <string>

#include "network-service/core/apply.h"

namespace pvebus::network {

// The end of what a program wrote, where it says why it failed: for messages. Valid UTF-8, at most 1,024 bytes.
std::string EndOfOutput(const ProgramReport& report);

}  // namespace pvebus::network
