#pragma once

#include "container-service/core/container_node.h"
#include "container-service/core/lifecycle.h"
#include "sdk/client/event_context.h"

namespace pvebus::container {

// Whether the node has the container's devices, or LXC runs it.
bool IsPresent(const ContainerNode& node, const NetworkSnapshot& network, uint32_t container_id);

// Whether the event comes again for a container that has stopped meanwhile: to do now what belongs to its start would be wrong,
// and would keep the hooks of its stop waiting. Any thread; reads the kernel. When that fails it counts as there.
bool HasGoneMeanwhile(const ContainerNode& node, const client::EventContext& context, const Lifecycle& what);

}  // namespace pvebus::container
