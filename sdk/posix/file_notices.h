#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/posix/fd.h"

namespace pvebus {

// The kernel's notices (inotify) that files may have another content. Tells of changes that were made on this machine, and
// through the file system. One thread.
class FileNotices {
 public:
  // By name, in a folder that is watched.
  using NamePredicate = std::function<bool(std::string_view name)>;

  FileNotices();

  // From now on these and no others. Of a folder: what files it has, and what is written to them; while it is not there, what it
  // would be in. Of a file: itself, whatever folder it is in. Watches what has these names now: call it again for each look.
  void Watch(const std::vector<std::string>& folders, const std::vector<std::string>& files = {});

  // Readable when there is one; negative when the kernel gives none (too many of these), and errno tells why after construction.
  int fd() const { return fd_.get(); }
  // Takes what there is. False when it says only that a watch has ended, as letting go of one does, or when all of it is about
  // what is not watched any more, or about names that do not count.
  bool Take(const NamePredicate& counts = [](std::string_view) { return true; }) const;

 private:
  int WatchNearest(const std::string& folder, const std::set<int>& kept) const;

  Fd fd_;
  std::set<int> watches_;
};

}  // namespace pvebus
