#pragma once

#include <optional>

#include "migration-service/core/gates.h"
#include "migration-service/core/migration_state.h"
#include "migration-service/core/outcome_window.h"
#include "migration-service/core/phase_change.h"
#include "migration-service/core/route_map.h"
#include "migration-service/core/route_table.h"
#include "pvebus/migration/v1/migration_service.pb.h"

// Ours in the contract's form, and back. Pure; any thread.
namespace pvebus::migration {

v1::PhaseChange ToProto(const PhaseChange& change);
v1::GateStatus ToProto(const GateVerdict& verdict);
v1::RouteMapStatus ToProto(const RouteMapStatus& status);
v1::EndpointOutcomes ToProto(const EndpointShare& share);
v1::Implementation ToProto(Implementation implementation);
v1::FallbackPolicy ToProto(Fallback fallback);
void SetStatus(const MigrationState::Status& status, v1::GetMigrationStatusResponse& response);

// Nothing: it is not one.
std::optional<Implementation> FromProto(v1::Implementation implementation);
std::optional<CallResult> FromProto(v1::CallResult result);

}  // namespace pvebus::migration
