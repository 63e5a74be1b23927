#include "tests/system/network_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "absl/strings/str_format.h"

namespace pvebus::testing {
namespace {

int OpenCurrent() { return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC); }

absl::Status Failure(const char* what) { return absl::UnavailableError(absl::StrFormat("%s: %s", what, strerror(errno))); }

// Becomes root of a user namespace when that is what it takes.
absl::Status Unshare() {
  const uid_t uid = getuid();
  const gid_t gid = getgid();
  if (unshare(CLONE_NEWNET) == 0) return absl::OkStatus();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return Failure("unshare");
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/uid_map") << absl::StrFormat("0 %d 1", uid);
  std::ofstream("/proc/self/gid_map") << absl::StrFormat("0 %d 1", gid);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<NetworkNamespace> NetworkNamespace::Enter() {
  if (const absl::Status status = Unshare(); !status.ok()) return status;
  const int file = OpenCurrent();
  if (file < 0) return Failure("/proc/thread-self/ns/net");
  return NetworkNamespace(file);
}

absl::StatusOr<NetworkNamespace> NetworkNamespace::Make() {
  const NetworkNamespace before(OpenCurrent());
  auto made = Enter();
  if (setns(before.file_, CLONE_NEWNET) != 0) return Failure("setns");
  return made;
}

NetworkNamespace::~NetworkNamespace() {
  if (file_ >= 0) close(file_);
}

NetworkNamespace::NetworkNamespace(NetworkNamespace&& other) noexcept : file_(other.file_) { other.file_ = -1; }

std::string NetworkNamespace::path() const { return absl::StrFormat("/proc/%d/fd/%d", getpid(), file_); }

void NetworkNamespace::Do(const std::function<void()>& what) const {
  const NetworkNamespace before(OpenCurrent());
  if (setns(file_, CLONE_NEWNET) != 0) std::abort();
  what();
  if (setns(before.file_, CLONE_NEWNET) != 0) std::abort();
}

}  // namespace pvebus::testing
