#pragma once

#include <string>
#include <vector>

namespace pvebus::container {

// What of a container's network is not as its file says, or cannot be. Valid UTF-8.
struct NetworkFinding {
  std::string interface;  // "net0"
  std::string message;    // names the device and both sides
  bool warning = false;   // the interface works nevertheless

  bool operator==(const NetworkFinding&) const = default;
};

using NetworkFindings = std::vector<NetworkFinding>;

// Whether there is one that is no warning.
bool HasErrors(const NetworkFindings& findings);

}  // namespace pvebus::container
