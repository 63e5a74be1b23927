#pragma once

#include "migration-service/core/migration_state.h"
#include "sdk/base/log.h"
#include "sdk/hooks/hook_chain.h"

namespace pvebus::migration {

// The hook `migration-event-logger`: writes one line for each event, follows the phase and counts network transactions. It is
// for `chain`, which keeps phase and count. Requires: logger and state outlive the chain.
hooks::Hook MigrationEventLogger(Logger& logger, MigrationState& state, const hooks::HookChain& chain);

// What the hook has followed and counted before this process. Requires: nothing was counted yet.
void RestoreState(const hooks::HookChain& chain, MigrationState& state);

}  // namespace pvebus::migration
