#include "sdk/posix/files.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "sdk/posix/fd.h"

namespace pvebus {
namespace {

namespace fs = std::filesystem;

constexpr size_t kStepBytes = 64 * 1024;

absl::Status Failed(std::error_code error) {
  if (error == std::errc::no_such_file_or_directory) return absl::NotFoundError("there is no such file");
  return absl::UnavailableError(error.message());
}

absl::Status Failed(int error) { return Failed(std::error_code(error, std::generic_category())); }

bool IsFile(const std::string& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t most_bytes, FileKind kind) {
  // To open a pipe waits for who writes it, unless it must not block.
  const int wait = kind == FileKind::kAny ? 0 : O_NONBLOCK;
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | wait));
  if (!file) return Failed(errno);
  struct stat about;
  if (fstat(file.get(), &about) != 0) return Failed(errno);
  if (S_ISDIR(about.st_mode)) return Failed(EISDIR);
  if (kind == FileKind::kRegular && !S_ISREG(about.st_mode)) {
    return absl::UnavailableError("it is neither a file nor a link to one");
  }
  std::string bytes;
  while (bytes.size() < most_bytes) {
    const size_t begin = bytes.size();
    bytes.resize(begin + std::min(kStepBytes, most_bytes - begin));
    const ssize_t got = read(file.get(), bytes.data() + begin, bytes.size() - begin);
    const int error = errno;
    bytes.resize(begin + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) break;
    if (got < 0 && error != EINTR) return Failed(error);
  }
  return bytes;
}

std::vector<std::string> FilesLike(const std::string& pattern) {
  std::vector<std::string> paths;
  glob_t matches{};
  if (glob(pattern.c_str(), GLOB_NOSORT, nullptr, &matches) == 0) {
    for (size_t i = 0; i < matches.gl_pathc; ++i) {
      if (IsFile(matches.gl_pathv[i])) paths.emplace_back(matches.gl_pathv[i]);
    }
  }
  globfree(&matches);
  return paths;
}

absl::StatusOr<std::vector<std::string>> FilesIn(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (auto it = fs::directory_iterator(folder, error); !error && it != fs::directory_iterator(); it.increment(error)) {
    if (IsFile(it->path().string())) names.push_back(it->path().filename().string());
  }
  if (error) return Failed(error);
  return names;
}

}  // namespace pvebus
