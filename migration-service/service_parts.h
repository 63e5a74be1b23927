#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "grpcpp/impl/service_type.h"
#include "migration-service/core/migration_state.h"
#include "migration-service/core/migration_store.h"
#include "migration-service/core/outcome_window.h"
#include "migration-service/core/route_table.h"
#include "migration-service/flags.h"
#include "migration-service/host/route_map/nginx_route_map.h"
#include "migration-service/rpc/gate_keeper.h"
#include "migration-service/rpc/migration_rpc.h"
#include "migration-service/rpc/outcome_reports.h"
#include "migration-service/rpc/phase_setter.h"
#include "migration-service/rpc/step_back_outbox.h"
#include "migration-service/upkeep/report_upkeep.h"
#include "migration-service/upkeep/route_map_upkeep.h"
#include "sdk/base/executor.h"
#include "sdk/client/outbox.h"
#include "sdk/client/random_id.h"
#include "sdk/hook_service/hook_main.h"

namespace pvebus::migration {

// All parts of migration-service, put together: what each needs stands above it, and so outlives it. Part of main.
class ServiceParts {
 public:
  // Adds the hooks, and brings the route table to the phase in force.
  static absl::StatusOr<std::shared_ptr<grpc::Service>> Assemble(const hook_service::HookProgramParts& program,
                                                                 const Flags& flags);
  // For Assemble.
  ServiceParts(const hook_service::HookProgramParts& program, const Flags& flags, std::vector<RouteRule> overrides,
               std::unique_ptr<MigrationStore> store, std::unique_ptr<MigrationState> state);

 private:
  absl::Status AddHooks(const hook_service::HookProgramParts& program);
  void BringRouteMap(Logger& logger);

  const std::unique_ptr<MigrationStore> store_;
  const std::unique_ptr<MigrationState> state_;
  const std::shared_ptr<grpc::Channel> bus_;
  client::LockedRandom random_;
  const RouteTable routes_;
  const std::unique_ptr<NginxRouteMap> map_;  // null: none is asked for
  OutcomeWindow outcomes_;
  const GateKeeper gates_;
  PhaseSetter setter_;
  StepBackOutbox step_backs_;
  client::Outbox outbox_;
  OutcomeReports reports_;
  ThreadPool changing_;
  ThreadPool reading_;
  MigrationRpc rpc_;
  ReportUpkeep report_upkeep_;
  std::unique_ptr<RouteMapUpkeep> map_upkeep_;  // null: there is no route map; last: from BringRouteMap on
};

}  // namespace pvebus::migration
