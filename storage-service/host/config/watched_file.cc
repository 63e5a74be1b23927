#include "storage-service/host/config/watched_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"

namespace pvebus::storage {
namespace {

absl::Status ReadError(const std::string& path, int error) {
  if (error == ENOENT || error == ENOTDIR) return absl::NotFoundError(absl::StrFormat("%s does not exist", path));
  return absl::UnavailableError(absl::StrFormat("%s cannot be read: %s", path, std::generic_category().message(error)));
}

absl::Status TooLarge(const std::string& path, size_t most_bytes) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "STORAGE_CONFIG_TOO_LARGE",
                   absl::StrFormat("%s has more than %d bytes, which is as much as Proxmox VE keeps", path, most_bytes));
}

absl::StatusOr<std::string> ReadAll(int fd, const std::string& path, size_t most_bytes) {
  std::string text;
  std::array<char, 64 * 1024> buffer;
  for (;;) {
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ReadError(path, errno);
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(got));
    if (text.size() > most_bytes) return TooLarge(path, most_bytes);
  }
}

}  // namespace

absl::StatusOr<std::string> ReadWatchedFile(const std::string& path, size_t most_bytes) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return ReadError(path, errno);
  auto text = ReadAll(fd, path, most_bytes);
  close(fd);
  return text;
}

}  // namespace pvebus::storage
