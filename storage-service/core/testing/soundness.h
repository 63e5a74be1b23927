#pragma once

#include <string>
#include <string_view>

#include "storage-service/core/storage_config.h"

namespace pvebus::storage {

// Stands where a secret would be.
inline constexpr std::string_view kSecretOfTests = "HIDDEN";

// What is promised of the result whatever the file is: bounds, valid UTF-8, no secrets. Empty when all of it is kept, else which
// promise is broken, and where. A text that has kSecretOfTests only where secrets stand must not give it out.
std::string WhyUnsound(const StorageConfig& config, std::string_view text);

}  // namespace pvebus::storage
