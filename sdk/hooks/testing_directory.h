#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace pvebus::hooks {

// A new empty directory of a test.
class TestingDirectory {
 public:
  TestingDirectory() {
    std::string path = (std::filesystem::temp_directory_path() / "pvebus-XXXXXX").string();
    path_ = mkdtemp(path.data());
  }
  ~TestingDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestingDirectory(const TestingDirectory&) = delete;
  TestingDirectory& operator=(const TestingDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace pvebus::hooks
