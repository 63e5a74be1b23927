#pragma once

#include <ostream>

#include "cli/console.h"
#include "pvebus/container/v1/container_service.pb.h"

namespace pvebus::cli {

// What the container's file says, what the kernel has of it, and what is wrong.
void PrintContainerNetwork(const container::v1::ContainerNetwork& network, std::ostream& out);

// 1 when an interface does not work as its file says.
ExitCode ExitCodeOf(const container::v1::ContainerNetwork& network);

}  // namespace pvebus::cli
