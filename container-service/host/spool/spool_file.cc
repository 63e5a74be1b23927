#include "container-service/host/spool/spool_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstring>

#include "absl/strings/str_format.h"
#include "container-service/host/spool/spool_errors.h"

namespace pvebus::container {
namespace {

constexpr size_t kTimeDigits = 20;
// A name beyond it is no time: others must still find room after it.
constexpr SystemTime kLastTime = SystemTime::max() - std::chrono::years(1);
constexpr std::string_view kEnding = ".json";

// Closed with its owner.
class File {
 public:
  File(const std::string& path, int flags, mode_t mode = 0) : fd_(open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

// '+' is in no request id, so different requests have different names.
std::string NamedAfter(std::string_view request_id) {
  std::string ending = "-" + std::string(request_id);
  std::replace(ending.begin(), ending.end(), '/', '+');
  return ending.append(kEnding);
}

absl::Status Unreadable(const char* doing, int error) {
  const bool lack = error == EMFILE || error == ENFILE || error == ENOMEM || error == EINTR;
  const auto code = error == ENOENT ? absl::StatusCode::kNotFound
                    : lack          ? absl::StatusCode::kUnavailable
                                    : absl::StatusCode::kInvalidArgument;
  return {code, absl::StrFormat("%s it: %s", doing, std::strerror(error))};
}

// The errno; 0: all of it.
int WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno != EINTR) return errno;
    if (written > 0) text.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

}  // namespace

bool IsSpoolFileName(std::string_view name) { return !name.starts_with('.') && name.ends_with(kEnding); }

std::string SpoolFileName(SystemTime now, std::string_view request_id) {
  const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
  return absl::StrFormat("%0*d%s", static_cast<int>(kTimeDigits), nanoseconds, NamedAfter(request_id));
}

std::optional<SystemTime> SpoolFileTime(std::string_view name) {
  int64_t nanoseconds = 0;
  const char* const end = name.data() + std::min(name.size(), kTimeDigits);
  const auto [read_to, error] = std::from_chars(name.data(), end, nanoseconds);
  if (error != std::errc() || read_to != name.data() + kTimeDigits || nanoseconds < 0) return std::nullopt;
  const SystemTime time{std::chrono::nanoseconds(nanoseconds)};
  return time < kLastTime ? std::optional(time) : std::nullopt;
}

bool IsNamedAfter(std::string_view name, std::string_view request_id) {
  return IsSpoolFileName(name) && name.size() > kTimeDigits && name.substr(kTimeDigits) == NamedAfter(request_id);
}

absl::StatusOr<std::string> ReadSpoolFile(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return Unreadable("looking at", errno);
  if (!S_ISREG(status.st_mode)) return absl::InvalidArgumentError("not a regular file");
  if (static_cast<size_t>(status.st_size) > kMostSpoolFileBytes) return absl::InvalidArgumentError("larger than 1 MiB");
  const File file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (file.fd() < 0) return Unreadable("opening", errno);
  std::string text(static_cast<size_t>(status.st_size), '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = read(file.fd(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Unreadable("reading", errno);
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  text.resize(size);
  return text;
}

absl::Status WriteSpoolFile(const std::string& path, std::string_view text) {
  const File file(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
  if (file.fd() < 0) return SpoolUnusable("making", path, errno);
  int error = WriteAll(file.fd(), text);
  if (error == 0 && fsync(file.fd()) != 0) error = errno;
  if (error == 0) return absl::OkStatus();
  unlink(path.c_str());
  return SpoolUnusable("writing", path, error);
}

absl::Status SyncSpool(const std::string& path) {
  const File directory(path, O_RDONLY | O_DIRECTORY);
  if (directory.fd() < 0) return SpoolUnusable("opening", path, errno);
  return fsync(directory.fd()) == 0 ? absl::OkStatus() : SpoolUnusable("syncing", path, errno);
}

}  // namespace pvebus::container
