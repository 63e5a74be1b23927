#include "network-service/host/files/configuration_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_format.h"
#include "network-service/core/errors.h"
#include "network-service/host/files/file_names.h"
#include "sdk/base/await.h"
#include "sdk/posix/fd.h"

namespace pvebus::network {
namespace {

constexpr Duration kBetweenAttempts = std::chrono::milliseconds(20);

class FileLock final : public NodeLock {
 public:
  explicit FileLock(Fd file) : file_(std::move(file)) {}

 private:
  const Fd file_;  // locked as long as it is open
};

}  // namespace

absl::StatusOr<std::unique_ptr<NodeLock>> LockConfiguration(const std::string& folder, Duration limit,
                                                            const std::stop_token& stop) {
  const std::string path = absl::StrFormat("%s/%s", folder, kLockName);
  Fd file(open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  if (!file) return ConfigurationUnwritable(path, errno);
  int error = 0;
  const auto is_decided = [&] {
    error = flock(file.get(), LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
    return error != EWOULDBLOCK && error != EINTR;
  };
  if (!AwaitByAsking(is_decided, kBetweenAttempts, std::chrono::steady_clock::now() + limit, stop)) {
    return stop.stop_requested() ? WaitStopped("the lock " + path) : ConfigurationLocked(path);
  }
  if (error != 0) return ConfigurationUnwritable(path, error);
  return std::make_unique<FileLock>(std::move(file));
}

}  // namespace pvebus::network
