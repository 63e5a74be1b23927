#pragma once

#include "absl/status/statusor.h"
#include "migration-service/core/phase_change.h"
#include "pvebus/event/v1/event.pb.h"

namespace pvebus::migration {

// A change of phase as an event, MigrationPhaseChanged: what its payload has no room for is in the attributes phase_from,
// phase_force, phase_automatic, phase_reason and phase_requested_by. Who publishes one without them asks for the phase, whatever
// is in force, by the rules. Pure.
event::v1::SystemEvent EventOf(const PhaseOrder& order);
// INVALID_ARGUMENT PHASE_INVALID. Requires: it is a MigrationPhaseChanged.
absl::StatusOr<PhaseOrder> OrderOf(const event::v1::SystemEvent& event);

}  // namespace pvebus::migration
