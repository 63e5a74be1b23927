#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace pvebus::storage {

// The whole text of a file. NOT_FOUND: there is none; FAILED_PRECONDITION STORAGE_CONFIG_TOO_LARGE; UNAVAILABLE: everything else.
// Blocks as long as its file system does. Any thread.
absl::StatusOr<std::string> ReadWatchedFile(const std::string& path, size_t most_bytes);

}  // namespace pvebus::storage
