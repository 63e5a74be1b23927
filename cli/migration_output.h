#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <ostream>
#include <string>

#include "pvebus/migration/v1/migration_service.pb.h"

namespace pvebus::cli {

// "rust-read-only"
std::string PhaseWord(event::v1::MigrationPhase phase);

void PrintMigrationStatus(const migration::v1::GetMigrationStatusResponse& status, std::ostream& out);
void PrintGates(const google::protobuf::RepeatedPtrField<migration::v1::GateStatus>& gates, std::ostream& out);
// What came of `set`: the change, and a row per listener.
void PrintSetPhase(const migration::v1::SetPhaseResponse& response, std::ostream& out);
void PrintRoute(const migration::v1::ResolveEndpointResponse& route, std::ostream& out);
void PrintPhaseHistory(const google::protobuf::RepeatedPtrField<migration::v1::PhaseChange>& changes, std::ostream& out);
void PrintOutcomes(const migration::v1::ListOutcomesResponse& outcomes, std::ostream& out);

}  // namespace pvebus::cli
