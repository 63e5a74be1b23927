#include "storage-service/host/config/file_notices.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstring>
#include <filesystem>

namespace pvebus::storage {
namespace {

constexpr uint32_t kOfTheFile = IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;
constexpr uint32_t kOfItsDirectory =
    IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr uint32_t kOfAnAncestor = IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

}  // namespace

FileNotices::FileNotices(const std::string& path) : fd_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (fd_ < 0) return;
  WatchNearest(std::filesystem::absolute(path).parent_path().string());
  inotify_add_watch(fd_, path.c_str(), kOfTheFile);
}

FileNotices::~FileNotices() {
  if (fd_ >= 0) close(fd_);
}

bool FileNotices::Take() const {
  alignas(inotify_event) std::array<char, 64 * (sizeof(inotify_event) + NAME_MAX + 1)> buffer;
  bool any = false;
  for (ssize_t got = read(fd_, buffer.data(), buffer.size()); got > 0; got = read(fd_, buffer.data(), buffer.size())) {
    for (size_t at = 0; at < static_cast<size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof(event));
      any = any || (event.mask & IN_IGNORED) == 0;
      at += sizeof(event) + event.len;
    }
  }
  return any;
}

// Downwards, each step before its parent is let go: what appears meanwhile is seen by the one or the other.
void FileNotices::WatchNearest(const std::string& directory) {
  std::filesystem::path way;
  int parent = -1;
  for (const auto& part : std::filesystem::path(directory)) {
    way /= part;
    const int watch = inotify_add_watch(fd_, way.c_str(), way == directory ? kOfItsDirectory : kOfAnAncestor);
    if (watch < 0) return;
    if (parent >= 0 && parent != watch) inotify_rm_watch(fd_, parent);
    parent = watch;
  }
}

}  // namespace pvebus::storage
