#pragma once

#include "absl/status/status.h"
#include "migration-service/core/migration_store.h"
#include "sdk/hooks/hook_chain.h"

namespace pvebus::migration {

// An older version kept the phase and the count of transactions beside the history of hooks, in hooks.db. While `store` is new it
// begins with those, so that an upgrade loses neither: the phase as its first change. What was counted in the phase is not known,
// and 0. Errors are the store's.
absl::Status TakeOverFromHooks(const hooks::HookChain& chain, MigrationStore& store);

}  // namespace pvebus::migration
