#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace pvebus::bus {

// Rules for everything that is named, each with its error.

// ^[a-z][a-z0-9-]{0,62}$, else NAME_INVALID.
absl::Status CheckName(std::string_view field, std::string_view name);
// 1..128 of [A-Za-z0-9._:-], else ID_INVALID.
absl::Status CheckEventId(std::string_view field, std::string_view id);
// 1..128 of [A-Za-z0-9._:/-], else ID_INVALID.
absl::Status CheckRequestId(std::string_view field, std::string_view id);
// 1..128 of [A-Za-z0-9._-], else NAME_INVALID.
absl::Status CheckCustomName(std::string_view field, std::string_view name);
// A vmid: 100..999999999, else ID_INVALID.
absl::Status CheckContainerId(std::string_view field, uint32_t id);
// A storage id as Proxmox VE accepts it (PVE::JSONSchema pve-storage-id): 2..100 characters, a letter first, then letters,
// digits,
// '-', '_', '.', a letter or digit last; else ID_INVALID.
absl::Status CheckStorageId(std::string_view field, std::string_view id);
// FIELD_INVALID when longer than so many bytes.
absl::Status CheckLength(std::string_view field, std::string_view text, size_t most);

}  // namespace pvebus::bus
