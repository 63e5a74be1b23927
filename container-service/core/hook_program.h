#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sdk/base/program.h"

namespace pvebus::container {

// A file that an administrator put into a directory of hook programs. A value.
struct HookProgramFile {
  std::string name;     // raw bytes of a file name: UTF-8 only when it is not refused for its name
  std::string path;     // `directory`/name
  std::string refusal;  // why it must not run and what would be right, as what "NAME: " is followed by; empty: it may run

  bool operator==(const HookProgramFile&) const = default;
};

// The programs of administrators. Any thread.
class HookPrograms {
 public:
  virtual ~HookPrograms() = default;

  // What is in the directory, by name. FAILED_PRECONDITION HOOKS_DIR_UNREADABLE. Requires: the path is absolute.
  virtual absl::StatusOr<std::vector<HookProgramFile>> List(const std::string& directory) const = 0;
  // Waits for room, and then for its end.
  virtual ProgramResult Run(const ProgramCall& call, const std::stop_token& stop) = 0;
};

}  // namespace pvebus::container
