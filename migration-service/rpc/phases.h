#pragma once

#include <optional>

#include "migration-service/core/phase.h"
#include "pvebus/event/v1/event.pb.h"

namespace pvebus::migration {

// Empty for UNSPECIFIED and for phases of a later version of the contract. Any thread.
std::optional<Phase> FromProto(event::v1::MigrationPhase phase);
event::v1::MigrationPhase ToProto(Phase phase);

}  // namespace pvebus::migration
