#pragma once

#include <string>

namespace pvebus::service {

// Tells systemd READY=1, STOPPING=1, STATUS=...; nothing when not started by it.
void NotifySystemd(const std::string& state);

}  // namespace pvebus::service
