#pragma once

#include <optional>
#include <string_view>

namespace pvebus::storage {

// Addresses as Proxmox VE writes them. Pure; any thread.

bool IsDnsName(std::string_view text);

struct HostAndPort {
  std::string_view host;  // without brackets
  std::string_view port;  // digits; empty when there is none
};
// "10.0.0.1", "nas:3260", "[fd00::1]:3260", "fd00::1", "fd00::1.3260". The number of the port is not checked.
std::optional<HostAndPort> ParseHostAndPort(std::string_view text);

}  // namespace pvebus::storage
