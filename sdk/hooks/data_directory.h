#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace pvebus::hooks {

// A directory that belongs to one process. Held until destroyed; the kernel lets it go with the process, however that ends.
class DataDirectory {
 public:
  // Makes it (mode 0700, its parents as usual) where it is missing. FAILED_PRECONDITION DATA_DIR_IN_USE when another process
  // holds it, PERMISSION_DENIED DATA_DIR_UNUSABLE, RESOURCE_EXHAUSTED DATA_DIR_FULL; each names the path and says what to do.
  static absl::StatusOr<std::unique_ptr<DataDirectory>> Take(const std::string& path);
  ~DataDirectory();
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;

  const std::string& path() const { return path_; }
  // The path of a file in it; where it is missing an empty one is made that only the owner can read, before anybody else
  // writes to it. Errors as Take.
  absl::StatusOr<std::string> MakeFile(const std::string& name) const;

 private:
  DataDirectory(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  const std::string path_;
  const int lock_;
};

}  // namespace pvebus::hooks
