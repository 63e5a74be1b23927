#pragma once

#include <chrono>

#include "container-service/core/container_node.h"
#include "sdk/hooks/hook_chain.h"

namespace pvebus::container {

// The hook `vnet-validation`: whether the network that a container's file asks for can be had on this node. A row per interface;
// one that does not fit is a failure, so that the event comes again and succeeds when it has been put right. Requires: the node
// outlives the hook.
hooks::Hook VnetValidation(const ContainerNode& node);

struct LinkCheckOptions {
  // How long the links of a container may take to be as its file says: it is told of when it has just begun to run.
  std::chrono::milliseconds settle{2000};
  std::chrono::milliseconds look_every{100};
};

// The hook `link-check`: whether the kernel has the container's network as its file says it. Rows and failures as above.
hooks::Hook LinkCheck(const ContainerNode& node, LinkCheckOptions options = {});

}  // namespace pvebus::container
