#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace pvebus {

// The files of this machine, by their paths; symbolic links are followed. Any thread. NOT_FOUND when there is none; the message
// of any other error (UNAVAILABLE) is the reason alone, for eyes.

// What may be read. Only of kAny a pipe, or a device without an end, can keep the reader waiting.
enum class FileKind { kRegular, kAny };

// The first `most_bytes` of it.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t most_bytes, FileKind kind = FileKind::kRegular);

// The paths of the regular files that match a shell's pattern, in any order.
std::vector<std::string> FilesLike(const std::string& pattern);

// The names of the regular files in a folder, in any order.
absl::StatusOr<std::vector<std::string>> FilesIn(const std::string& folder);

}  // namespace pvebus
