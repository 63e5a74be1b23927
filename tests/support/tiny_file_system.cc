#include "tests/support/tiny_file_system.h"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_format.h"

namespace pvebus::testing {

TinyFileSystem::~TinyFileSystem() {
  if (mounted_) umount2(path_.c_str(), MNT_DETACH);
}

std::string TinyFileSystem::Mount(const std::string& path, int mib) {
  path_ = path;
  const uid_t uid = getuid();
  const gid_t gid = getgid();
  if (unshare(CLONE_NEWNS) != 0) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return absl::StrFormat("unshare: %s", strerror(errno));
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/uid_map") << absl::StrFormat("0 %d 1", uid);
    std::ofstream("/proc/self/gid_map") << absl::StrFormat("0 %d 1", gid);
  }
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return absl::StrFormat("mount: %s", strerror(errno));
  const std::string options = absl::StrFormat("size=%dm", mib);
  if (mount("tmpfs", path.c_str(), "tmpfs", 0, options.c_str()) != 0) return absl::StrFormat("mount: %s", strerror(errno));
  mounted_ = true;
  return "";
}

void TinyFileSystem::Fill() const {
  std::ofstream ballast(Ballast(), std::ios::binary | std::ios::app);
  const std::string page(4096, 'x');
  while (ballast.write(page.data(), static_cast<std::streamsize>(page.size())).flush()) {
  }
}

void TinyFileSystem::MakeRoom() const { std::filesystem::remove(Ballast()); }

}  // namespace pvebus::testing
