#pragma once

#include "migration-service/core/migration_state.h"
#include "sdk/base/log.h"
#include "sdk/hooks/hook_chain.h"

namespace pvebus::migration {

// The hook `migration-event-logger`: writes one line for each event, follows the phase and counts network transactions. It is
// for `chain`: what that knows to have succeeded is not done again. Requires: logger and state outlive the chain.
hooks::Hook MigrationEventLogger(Logger& logger, MigrationState& state, const hooks::HookChain& chain);

}  // namespace pvebus::migration
