#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "network-service/core/interfaces_files.h"
#include "network-service/core/interfaces_reader.h"

namespace pvebus::network {

// Files by path. Of a shell's patterns it knows the '*' at the end. One thread.
class MemoryFiles final : public InterfacesFiles {
 public:
  explicit MemoryFiles(std::map<std::string, std::string> files) : files_(std::move(files)) {}

  absl::StatusOr<std::string> Read(const std::string& path) override {
    if (unreadable_ == path) return absl::PermissionDeniedError("Permission denied");
    const auto file = files_.find(path);
    if (file == files_.end()) return absl::NotFoundError("there is no such file");
    return file->second;
  }
  // In an order that is none.
  std::vector<std::string> Glob(const std::string& pattern) override {
    const std::string prefix = pattern.substr(0, pattern.find('*'));
    std::vector<std::string> paths;
    for (const auto& [path, text] : files_) {
      if (path.starts_with(prefix) && path.find('/', prefix.size()) == std::string::npos) paths.insert(paths.begin(), path);
    }
    return paths;
  }
  absl::StatusOr<std::vector<std::string>> List(const std::string& folder) override {
    std::vector<std::string> names;
    for (const std::string& path : Glob(folder + "/*")) names.push_back(path.substr(folder.size() + 1));
    if (names.empty()) return absl::NotFoundError("there is no such folder");
    return names;
  }

  void MakeUnreadable(const std::string& path) { unreadable_ = path; }

 private:
  std::map<std::string, std::string> files_;
  std::string unreadable_;
};

// The text as /etc/network/interfaces, with other files beside it when there are some.
inline NetworkConfiguration Understand(const std::string& text, std::map<std::string, std::string> others = {}) {
  others["/etc/network/interfaces"] = text;
  MemoryFiles files(std::move(others));
  return *ReadConfiguration({}, files);
}

}  // namespace pvebus::network
