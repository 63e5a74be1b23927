#pragma once

#include "absl/status/status.h"
#include "migration-service/core/migration_state.h"
#include "migration-service/core/migration_store.h"
#include "migration-service/core/outcome_window.h"
#include "migration-service/core/route_map.h"
#include "migration-service/core/route_table.h"
#include "migration-service/rpc/gate_keeper.h"
#include "migration-service/rpc/outcome_reports.h"
#include "migration-service/rpc/phase_setter.h"
#include "pvebus/migration/v1/migration_service.grpc.pb.h"
#include "sdk/base/executor.h"
#include "sdk/hook_service/hook_rpc.h"

namespace pvebus::migration {

// What MigrationRpc stands on; all of it outlives its last call.
struct MigrationRpcParts {
  const MigrationState& state;
  MigrationStore& store;
  const RouteTable& routes;
  const OutcomeWindow& outcomes;
  OutcomeReports& reports;
  const GateKeeper& gates;
  PhaseSetter& setter;
  const RouteMap* map;  // null: there is none
  // Where calls wait: for the bus, and, apart from these, for the disk.
  Executor& changing;
  Executor& reading;
};

// Serves MigrationService. Owned by main. Any thread. Requires: chain and parts outlive it.
class MigrationRpc final : public hook_service::HookRpc<v1::MigrationService> {
 public:
  MigrationRpc(hooks::HookChain& chain, const MigrationRpcParts& parts) : HookRpc(chain), parts_(parts) {}

  grpc::ServerUnaryReactor* GetMigrationStatus(grpc::CallbackServerContext* context, const v1::GetMigrationStatusRequest* request,
                                               v1::GetMigrationStatusResponse* response) override;
  grpc::ServerUnaryReactor* SetPhase(grpc::CallbackServerContext* context, const v1::SetPhaseRequest* request,
                                     v1::SetPhaseResponse* response) override;
  // Answered at once, on gRPC's thread: a reverse proxy may ask for every call.
  grpc::ServerUnaryReactor* ResolveEndpoint(grpc::CallbackServerContext* context, const v1::ResolveEndpointRequest* request,
                                            v1::ResolveEndpointResponse* response) override;
  grpc::ServerUnaryReactor* ReportOutcome(grpc::CallbackServerContext* context, const v1::ReportOutcomeRequest* request,
                                          v1::ReportOutcomeResponse* response) override;
  grpc::ServerUnaryReactor* ListOutcomes(grpc::CallbackServerContext* context, const v1::ListOutcomesRequest* request,
                                         v1::ListOutcomesResponse* response) override;
  grpc::ServerUnaryReactor* ListPhaseHistory(grpc::CallbackServerContext* context, const v1::ListPhaseHistoryRequest* request,
                                             v1::ListPhaseHistoryResponse* response) override;

 private:
  absl::Status SetPhaseNow(const v1::SetPhaseRequest& request, const std::string& peer, v1::SetPhaseResponse& response) const;
  absl::Status Resolve(const v1::ResolveEndpointRequest& request, v1::ResolveEndpointResponse& response) const;
  absl::Status Report(const v1::ReportOutcomeRequest& request, v1::ReportOutcomeResponse& response) const;
  absl::Status ReadHistory(const v1::ListPhaseHistoryRequest& request, v1::ListPhaseHistoryResponse& response) const;

  const MigrationRpcParts parts_;
};

}  // namespace pvebus::migration
