#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "container-service/core/network_interface.h"

namespace pvebus::cli {

struct InterfaceRow {
  std::string name;         // "net0"
  std::string host_device;  // "veth101i0"; empty: unknown
  container::NetworkInterface interface;
};

// The interfaces of a container as its file says them, below an empty line.
void PrintInterfaces(const std::vector<InterfaceRow>& rows, std::ostream& out);

}  // namespace pvebus::cli
