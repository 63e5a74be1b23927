#pragma once

#include "container-service/core/container_starts.h"
#include "sdk/base/log.h"
#include "sdk/hooks/hook_chain.h"

namespace pvebus::container {

// The hook `network-event-logger`: writes one line for each event and counts the starts of containers. It is for `chain`, which
// keeps the counts. Requires: logger and starts outlive the chain.
hooks::Hook NetworkEventLogger(Logger& logger, ContainerStarts& starts, const hooks::HookChain& chain);

// What the hook has counted before this process. Requires: nothing was counted yet.
void RestoreStarts(const hooks::HookChain& chain, ContainerStarts& starts);

}  // namespace pvebus::container
