#pragma once

#include <string>
#include <vector>

#include "network-service/core/interfaces_files.h"
#include "network-service/core/interfaces_reader.h"
#include "sdk/posix/files.h"

namespace pvebus::network {

// The files of this machine, for the reader of a network configuration. Any thread.
class MachineFiles final : public InterfacesFiles {
 public:
  absl::StatusOr<std::string> Read(const std::string& path) override { return ReadFile(path, kMostFileBytes + 1); }
  std::vector<std::string> Glob(const std::string& pattern) override { return FilesLike(pattern); }
  absl::StatusOr<std::vector<std::string>> List(const std::string& folder) override { return FilesIn(folder); }
};

}  // namespace pvebus::network
