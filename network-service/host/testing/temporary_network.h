#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "tests/support/temporary_directory.h"

namespace pvebus::network {

// A folder that stands for /etc/network.
class TemporaryNetwork {
 public:
  const std::string& path() const { return directory_.path(); }
  std::string Path(const std::string& name) const { return path() + "/" + name; }

  std::string Write(const std::string& name, const std::string& bytes) const {
    std::ofstream(Path(name), std::ios::binary) << bytes;
    return Path(name);
  }
  std::string WriteProgram(const std::string& name, const std::string& lines) const {
    Write(name, "#!/bin/sh\n" + lines + "\n");
    chmod(Path(name).c_str(), 0755);
    return Path(name);
  }
  // "(none)" when there is none.
  std::string Read(const std::string& name) const {
    std::ifstream stream(Path(name), std::ios::binary);
    if (!stream) return "(none)";
    std::stringstream bytes;
    bytes << stream.rdbuf();
    return bytes.str();
  }
  bool Has(const std::string& name) const { return std::filesystem::exists(Path(name)); }
  struct stat About(const std::string& name) const {
    struct stat about {};
    EXPECT_EQ(lstat(Path(name).c_str(), &about), 0) << name;
    return about;
  }
  std::set<std::string> Names() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path())) names.insert(entry.path().filename().string());
    return names;
  }

 private:
  const testing::TemporaryDirectory directory_;
};

// absl::Status with this code and reason.
MATCHER_P2(IsError, code, reason, "") {
  *result_listener << "which is " << arg.ToString();
  return arg.code() == code && ErrorReason(arg) == reason;
}

}  // namespace pvebus::network
