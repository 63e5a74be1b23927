#include "bus-service/store/system_error.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_format.h"

namespace pvebus::bus {

absl::Status SystemError(std::string_view doing, const std::string& path, int error) {
  const auto code =
      error == ENOSPC || error == EDQUOT ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kPermissionDenied;
  return absl::Status(code, absl::StrFormat("%s %s: %s", doing, path, std::strerror(error)));
}

absl::Status SyncDirectory(const std::string& directory) {
  const int file = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return SystemError("opening", directory, errno);
  const int result = fsync(file);
  const int error = errno;
  close(file);
  return result == 0 ? absl::OkStatus() : SystemError("syncing", directory, error);
}

}  // namespace pvebus::bus
