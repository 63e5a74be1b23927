#include "container-service/host/programs/directory_programs.h"

#include "container-service/host/programs/hook_directory.h"

namespace pvebus::container {

absl::StatusOr<std::vector<HookProgramFile>> DirectoryPrograms::List(const std::string& directory) const {
  return ListHookPrograms(directory);
}

}  // namespace pvebus::container
