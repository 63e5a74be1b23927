#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage-service/core/storage_types.h"

namespace pvebus::storage {

// The values of properties. Pure; any thread.

// Why Proxmox VE does not take `value` for a property of this kind, and what would be right; empty when it does.
std::string WhyInvalid(PropertyKind kind, std::string_view value, const StorageType& type);

// Two letters at least, the first a letter, the last a letter or digit, between them '-', '_' and '.', too.
bool IsStorageId(std::string_view text);

// 1..65535.
std::optional<uint16_t> ParsePort(std::string_view text);

// For messages: 'text', cut when it is long, valid UTF-8.
std::string Quoted(std::string_view text);
// Only the name that a word begins with: what follows, as in password=x, may be a secret.
std::string QuotedName(std::string_view word);
std::string_view NameIn(std::string_view word);

}  // namespace pvebus::storage
