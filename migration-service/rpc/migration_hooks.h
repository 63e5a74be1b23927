#pragma once

#include <functional>

#include "migration-service/core/migration_state.h"
#include "migration-service/core/route_map.h"
#include "migration-service/rpc/gate_keeper.h"
#include "sdk/base/log.h"
#include "sdk/hooks/hook.h"

namespace pvebus::migration {

// The hooks of `migration-hooks`, in this order. What they refer to outlives them.

// One line per event.
hooks::Hook MigrationEventLogger(Logger& logger);
// MigrationPhaseChanged: makes it the phase, when the rules allow it. What they do not is refused for good: a dead letter, and
// the phase stays. `on_change` is called when the phase is another one.
hooks::Hook PhaseTracker(MigrationState& state, const GateKeeper& gates, std::function<void()> on_change);
// NetworkApplied: counts it, each event once.
hooks::Hook AppliedCounter(MigrationState& state);
// MigrationPhaseChanged: brings the route table to the phase in force, whichever the event tells. Null: there is no table.
hooks::Hook RouteMapWriter(const MigrationState& state, RouteMap* map);

}  // namespace pvebus::migration
