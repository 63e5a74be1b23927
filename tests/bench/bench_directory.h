#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace pvebus::bench {

// A directory for one run (under TMPDIR: which file system that is decides what an fsync costs), gone with it.
class BenchDirectory {
 public:
  static absl::StatusOr<BenchDirectory> Make() {
    std::string path = (std::filesystem::temp_directory_path() / "pvebus-bench-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) return absl::InternalError("cannot make " + path);
    return BenchDirectory(std::move(path));
  }
  BenchDirectory(BenchDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  BenchDirectory& operator=(BenchDirectory&&) = delete;
  ~BenchDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }

 private:
  explicit BenchDirectory(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

}  // namespace pvebus::bench
