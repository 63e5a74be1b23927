#pragma once

#include <string_view>

namespace pvebus::network {

// What there is in /etc/network beside what the files source.
inline constexpr const char* kAppliedName = "interfaces";
inline constexpr const char* kStagedName = "interfaces.new";
inline constexpr const char* kRevertedName = "interfaces.pvebus-reverted";
inline constexpr const char* kLockName = ".pve-interfaces.lock";  // Proxmox VE's
// Ours, and gone when no apply is under way. Hidden: nobody takes them for a configuration.
inline constexpr const char* kOldName = ".interfaces.pvebus-old";
inline constexpr const char* kRevertCandidateName = ".interfaces.pvebus-candidate";
inline constexpr const char* kTemporaryName = ".interfaces.pvebus-temporary";

// Whether a file of that name in /etc/network can change what is applied or staged. Pure.
inline bool CountsAsConfiguration(std::string_view name) {
  return name != kLockName && name != kOldName && name != kRevertCandidateName && name != kTemporaryName;
}

}  // namespace pvebus::network
