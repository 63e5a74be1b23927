#include "network-service/host/files/durable_folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <utility>

#include "network-service/core/errors.h"
#include "network-service/host/files/file_names.h"
#include "sdk/posix/files.h"

namespace pvebus::network {
namespace {

constexpr mode_t kPermissions = 07777;

int WriteAll(const Fd& file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

// The mode comes last: another owner takes bits of it away.
int LookLike(const Fd& file, const struct stat& like) {
  struct stat now;
  if (fstat(file.get(), &now) != 0) return errno;
  const bool others = now.st_uid != like.st_uid || now.st_gid != like.st_gid;
  if (others && fchown(file.get(), like.st_uid, like.st_gid) != 0) return errno;
  return fchmod(file.get(), like.st_mode & kPermissions) == 0 ? 0 : errno;
}

bool HasNoLinks(int error) { return error == EPERM || error == EMLINK || error == EXDEV || error == EOPNOTSUPP; }

}  // namespace

absl::StatusOr<DurableFolder> DurableFolder::Open(const std::string& path) {
  Fd folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return ConfigurationUnwritable(path, errno);
  return DurableFolder(path, std::move(folder));
}

bool DurableFolder::Has(const char* name) const {
  struct stat ignored;
  return fstatat(folder_.get(), name, &ignored, AT_SYMLINK_NOFOLLOW) == 0;
}

absl::Status DurableFolder::Put(const char* name, std::string_view bytes, const char* like) {
  absl::Status status = WriteTemporary(bytes, like);
  if (status.ok()) return Rename(kTemporaryName, name);
  RemoveTemporary().IgnoreError();
  return status;
}

absl::Status DurableFolder::Rename(const char* from, const char* to) {
  struct stat source;
  struct stat target;
  const bool both = fstatat(folder_.get(), from, &source, AT_SYMLINK_NOFOLLOW) == 0 &&
                    fstatat(folder_.get(), to, &target, AT_SYMLINK_NOFOLLOW) == 0;
  // Of two names of one file rename() leaves both.
  if (both && source.st_dev == target.st_dev && source.st_ino == target.st_ino) return Remove(from);
  if (renameat(folder_.get(), from, folder_.get(), to) != 0) return Failed(to, errno);
  return Sync();
}

absl::Status DurableFolder::LinkTo(const char* from, const char* to) {
  if (absl::Status status = SyncFile(from); !status.ok()) return status;
  if (absl::Status status = RemoveTemporary(); !status.ok()) return status;
  // Without AT_SYMLINK_FOLLOW: of a symbolic link it is the link itself that is kept.
  if (linkat(folder_.get(), from, folder_.get(), kTemporaryName, 0) == 0) return Rename(kTemporaryName, to);
  return HasNoLinks(errno) ? CopyTo(from, to) : Failed(to, errno);
}

absl::Status DurableFolder::CopyTo(const char* from, const char* to) {
  const auto bytes = ReadFile(PathOf(from), std::numeric_limits<size_t>::max());
  if (!bytes.ok()) return ConfigurationUnreadable(PathOf(from), std::string(bytes.status().message()));
  return Put(to, *bytes, from);
}

absl::Status DurableFolder::Remove(const char* name) {
  if (unlinkat(folder_.get(), name, 0) == 0) return Sync();
  return errno == ENOENT ? absl::OkStatus() : Failed(name, errno);
}

absl::Status DurableFolder::SyncFile(const char* name) {
  const Fd file(openat(folder_.get(), name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  return file && fsync(file.get()) == 0 ? absl::OkStatus() : Failed(name, errno);
}

absl::Status DurableFolder::Failed(std::string_view name, int error) const {
  return ConfigurationUnwritable(PathOf(name), error);
}

absl::Status DurableFolder::WriteTemporary(std::string_view bytes, const char* like) {
  struct stat look;
  if (fstatat(folder_.get(), like, &look, 0) != 0) look = {.st_mode = 0644, .st_uid = geteuid(), .st_gid = getegid()};
  if (absl::Status status = RemoveTemporary(); !status.ok()) return status;
  const Fd file(openat(folder_.get(), kTemporaryName, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return Failed(kTemporaryName, errno);
  if (const int error = WriteAll(file, bytes); error != 0) return Failed(kTemporaryName, error);
  if (const int error = LookLike(file, look); error != 0) return Failed(kTemporaryName, error);
  return fsync(file.get()) == 0 ? absl::OkStatus() : Failed(kTemporaryName, errno);
}

// Needs not be on the disk: it is made anew at once.
absl::Status DurableFolder::RemoveTemporary() {
  if (unlinkat(folder_.get(), kTemporaryName, 0) == 0 || errno == ENOENT) return absl::OkStatus();
  return Failed(kTemporaryName, errno);
}

absl::Status DurableFolder::Sync() {
  return fsync(folder_.get()) == 0 ? absl::OkStatus() : ConfigurationUnwritable(path_, errno);
}

}  // namespace pvebus::network
