#pragma once

#include "container-service/core/container_starts.h"
#include "sdk/base/log.h"
#include "sdk/hooks/hook_chain.h"

namespace pvebus::container {

// The hook `network-event-logger`: writes one line for each event and counts the starts of containers. Requires: both outlive
// the chain.
hooks::Hook NetworkEventLogger(Logger& logger, ContainerStarts& starts);

}  // namespace pvebus::container
