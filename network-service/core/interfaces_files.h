#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace pvebus::network {

// The file system as the reader of a network configuration needs it. Implemented outside of core.
class InterfacesFiles {
 public:
  virtual ~InterfacesFiles() = default;

  // The content; of a file that is larger than kMostFileBytes, that and at least one byte more. NOT_FOUND when there is none;
  // the message of any other error tells why it cannot be read.
  virtual absl::StatusOr<std::string> Read(const std::string& path) = 0;
  // The paths of the files (not folders) that match a shell's pattern, in any order.
  virtual std::vector<std::string> Glob(const std::string& pattern) = 0;
  // The names of the files in a folder, in any order. NOT_FOUND when there is none.
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& folder) = 0;
};

}  // namespace pvebus::network
