#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "container-service/core/hook_program.h"

namespace pvebus::container {

inline constexpr size_t kMostHookPrograms = 200;  // that may run, of one directory
inline constexpr size_t kMostHookNameBytes = 200;

// What is in `directory`, by the rules of run-parts and sorted by name as LC_ALL=C does. Left out are directories, hidden files
// (".*"), what editors and package tools leave behind ("*~", "*.dpkg-*", "*.rpmsave" ...); all else that run-parts would skip in
// silence is listed with a refusal. What root is to run must be root's, and nobody else may be able to write it; a process of
// another user runs that user's programs, too. A directory that others could put programs into has each of them refused.
// None when there is no such directory; FAILED_PRECONDITION HOOKS_DIR_UNREADABLE (metadata `directory`) when it cannot be read.
// Reads the disk; any thread. Requires: `directory` is absolute.
absl::StatusOr<std::vector<HookProgramFile>> ListHookPrograms(const std::string& directory);

}  // namespace pvebus::container
