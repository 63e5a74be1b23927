#include "sdk/hooks/data_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"

namespace pvebus::hooks {
namespace {

absl::Status Unusable(std::string_view doing, const std::string& path, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return MakeError(full ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kPermissionDenied,
                   full ? "DATA_DIR_FULL" : "DATA_DIR_UNUSABLE",
                   absl::StrFormat("%s %s: %s; %s", doing, path, std::strerror(error),
                                   full ? "make room there, or name another directory with --data-dir"
                                        : "name a directory that this user may write to with --data-dir, or make this one so"),
                   {{"path", path}});
}

// So that a new file is still there after a power failure.
absl::Status Sync(const std::string& directory) {
  const int file = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return Unusable("opening", directory, errno);
  const int error = fsync(file) == 0 ? 0 : errno;
  close(file);
  return error == 0 ? absl::OkStatus() : Unusable("syncing", directory, error);
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataDirectory>> DataDirectory::Take(const std::string& name) {
  std::string path = name;
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (error) return Unusable("making the directory", parent.string(), error.value());
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return Unusable("making the data directory", path, errno);
  const std::string lock_path = path + "/lock";
  const int lock = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return Unusable("opening", lock_path, errno);
  std::unique_ptr<DataDirectory> directory(new DataDirectory(path, lock));
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    return MakeError(
        absl::StatusCode::kFailedPrecondition, "DATA_DIR_IN_USE",
        absl::StrFormat("another process is using the data directory %s; stop it, or name another with --data-dir", path),
        {{"path", path}});
  }
  return directory;
}

DataDirectory::~DataDirectory() { close(lock_); }

absl::StatusOr<std::string> DataDirectory::MakeFile(const std::string& name) const {
  std::string path = path_ + "/" + name;
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return Unusable("opening", path, errno);
  close(file);
  if (absl::Status status = Sync(path_); !status.ok()) return status;
  return path;
}

}  // namespace pvebus::hooks
