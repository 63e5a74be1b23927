#pragma once

#include <string>
#include <vector>

#include "network-service/core/interfaces_files.h"
#include "network-service/core/interfaces_reader.h"
#include "sdk/posix/files.h"

namespace pvebus::cli {

// What an operator names as a network configuration: a file, or a folder that stands for /etc/network. NOT_FOUND, or another
// error, with a message for eyes.
absl::StatusOr<network::ConfigurationPlace> PlaceOfConfiguration(const std::string& path);

// The files of this machine. One thread.
class MachineFiles final : public network::InterfacesFiles {
 public:
  // `main_file` may be a pipe; what it sources must be files.
  explicit MachineFiles(std::string main_file) : main_file_(std::move(main_file)) {}

  absl::StatusOr<std::string> Read(const std::string& path) override;
  std::vector<std::string> Glob(const std::string& pattern) override { return FilesLike(pattern); }
  absl::StatusOr<std::vector<std::string>> List(const std::string& folder) override { return FilesIn(folder); }

 private:
  std::string main_file_;
};

}  // namespace pvebus::cli
