#pragma once

#include "container-service/core/container_config.h"
#include "container-service/core/container_devices.h"
#include "container-service/core/network_finding.h"
#include "pvebus/container/v1/container_service.pb.h"

namespace pvebus::container {

// What is known of a container, as the contract has it. `devices`: what the kernel has of it. Any thread.
v1::ContainerNetwork MessageOf(const ContainerConfig& config, const ContainerDevices& devices, bool running,
                               const NetworkFindings& findings);

}  // namespace pvebus::container
