#pragma once

#include <string>

#include "sdk/base/clock.h"

namespace pvebus::network {

// What an apply that is under way is doing.
enum class ApplyStep {
  kLocking,         // waits for Proxmox VE's lock
  kChecking,        // reads and compares
  kCheckingSyntax,  // asks ifupdown2
  kInstalling,      // replaces the file
  kReloading,       // ifreload -a
  kVerifying,       // compares the kernel with the configuration
  kUndoing,         // puts the old file back, ifreload -a
};

struct ApplyProgress {
  std::string apply_id;
  std::string request_id;  // of the caller; empty: none
  ApplyStep step = ApplyStep::kLocking;
  SystemTime since{};
};

}  // namespace pvebus::network
