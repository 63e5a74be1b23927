#include "sdk/posix/file_notices.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <utility>

namespace pvebus {
namespace {

constexpr uint32_t kOfAFile = IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_MASK_ADD;
constexpr uint32_t kOfAFolder = IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM | IN_MODIFY | IN_CLOSE_WRITE |
                                IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_MASK_ADD;
constexpr uint32_t kOfAnAncestor = IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_MASK_ADD;

}  // namespace

FileNotices::FileNotices() : fd_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {}

void FileNotices::Watch(const std::vector<std::string>& folders, const std::vector<std::string>& files) {
  std::set<int> kept;
  for (const std::string& folder : folders) kept.insert(WatchNearest(std::filesystem::absolute(folder).string(), kept));
  for (const std::string& file : files) kept.insert(inotify_add_watch(fd(), file.c_str(), kOfAFile));
  kept.erase(-1);
  for (const int watch : std::exchange(watches_, kept)) {
    if (!kept.contains(watch)) inotify_rm_watch(fd(), watch);
  }
}

bool FileNotices::Take(const NamePredicate& counts) const {
  alignas(inotify_event) std::array<char, 64 * (sizeof(inotify_event) + NAME_MAX + 1)> buffer;
  bool any = false;
  for (ssize_t got = read(fd(), buffer.data(), buffer.size()); got > 0; got = read(fd(), buffer.data(), buffer.size())) {
    for (size_t at = 0; at < static_cast<size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof(event));
      const char* name = buffer.data() + at + sizeof(event);  // ends with a zero
      // Other than of what is watched now, there may be notices of folders that were only passed on the way down.
      const bool lost_some = (event.mask & IN_Q_OVERFLOW) != 0;
      const bool watched = watches_.contains(event.wd) && (event.mask & IN_IGNORED) == 0;
      any = any || lost_some || (watched && (event.len == 0 || counts(name)));
      at += sizeof(event) + event.len;
    }
  }
  return any;
}

// Downwards, each step before its parent is let go: what appears meanwhile is seen by the one or the other. The watch of the
// nearest there is, or -1.
int FileNotices::WatchNearest(const std::string& folder, const std::set<int>& kept) const {
  std::filesystem::path way;
  int parent = -1;
  for (const auto& part : std::filesystem::path(folder)) {
    way /= part;
    const int watch = inotify_add_watch(fd(), way.c_str(), way == folder ? kOfAFolder : kOfAnAncestor);
    if (watch < 0) return parent;
    const bool passed = parent >= 0 && parent != watch && !kept.contains(parent) && !watches_.contains(parent);
    if (passed) inotify_rm_watch(fd(), parent);
    parent = watch;
  }
  return parent;
}

}  // namespace pvebus
