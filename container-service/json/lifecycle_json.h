#pragma once

#include <string>

#include "container-service/core/container_config.h"
#include "container-service/core/lifecycle.h"

namespace pvebus::container {

// What a hook program reads: the original project's ContainerNetworkEvent {id, timestamp, container_id, event_type, data}, where
// data has `network`, the container's configuration (null where there is no file of it), and for events about an interface
// `interface`, `device`, `before`, `after`. One line; UTF-8 whatever the file is. `config` null: there is none. Any thread.
std::string LifecycleJson(const Lifecycle& what, const std::string& event_id, const std::string& timestamp,
                          const ContainerConfig* config);

}  // namespace pvebus::container
