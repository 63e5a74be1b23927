#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "sdk/base/sdn.h"

namespace pvebus::pve {

// The SDN configuration that was applied last, which is what guests are on: what is staged in the .cfg files beside it does
// not count. Any thread.

// From the text of .running-config. SDN_CONFIG_INVALID when it is none; what is no vnet in it is passed over.
absl::StatusOr<Vnets> ParseRunningSdn(std::string_view json);

// From `directory`/.running-config. None without the file, which is there only once SDN was used; SDN_CONFIG_UNREADABLE when it
// cannot be read.
absl::StatusOr<Vnets> ReadRunningSdn(const std::string& directory);

}  // namespace pvebus::pve
