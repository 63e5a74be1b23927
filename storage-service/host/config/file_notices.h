#pragma once

#include <string>

namespace pvebus::storage {

// The kernel's notices (inotify) that a file may have another content than when this was made: the file itself or its directory
// changed, or, while there is no directory, what it would be in. Made anew for each look at the file, so that it always watches
// what has that name now. One thread.
class FileNotices {
 public:
  explicit FileNotices(const std::string& path);
  ~FileNotices();
  FileNotices(const FileNotices&) = delete;
  FileNotices& operator=(const FileNotices&) = delete;

  // Readable when there is one; negative when the kernel gives none (too many watches).
  int fd() const { return fd_; }
  // Takes what there is. False when it says only that a watch has ended: letting go of one makes such a notice, too.
  bool Take() const;

 private:
  void WatchNearest(const std::string& directory);

  const int fd_;
};

}  // namespace pvebus::storage
