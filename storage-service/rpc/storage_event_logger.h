#pragma once

#include "sdk/base/log.h"
#include "sdk/hooks/hook_chain.h"

namespace pvebus::storage {

// The hook `storage-event-logger`: writes one line for each event. Requires: `logger` outlives the chain.
hooks::Hook StorageEventLogger(Logger& logger);

}  // namespace pvebus::storage
