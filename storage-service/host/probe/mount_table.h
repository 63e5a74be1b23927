#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace pvebus::storage {

// One mount of this process' namespace. A value.
struct Mount {
  std::string point;
  std::string type;    // of the file system
  std::string source;  // what was mounted, as its file system says it

  bool operator==(const Mount&) const = default;
};

// Understands the text of /proc/self/mountinfo; lines that are none are left out. Pure; any thread.
std::vector<Mount> ParseMountInfo(std::string_view text);

// Of this process, now; the kernel answers that without asking any server.
absl::StatusOr<std::vector<Mount>> ReadMounts(const std::string& path);

}  // namespace pvebus::storage
