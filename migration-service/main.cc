#include "migration-service/core/migration_state.h"
#include "migration-service/rpc/migration_event_logger.h"
#include "migration-service/rpc/migration_rpc.h"
#include "sdk/hook_service/hook_main.h"

// migration-hooks on the bus, and MigrationService.
int main(int argc, char** argv) {
  pvebus::migration::MigrationState state;
  const pvebus::hook_service::HookProgram program{
      .description = "Follows the migration of the node's network API through the events of the bus",
      .default_listen = "127.0.0.1:7404",
      .identity = {"migration-service", "migration-hooks", pvebus::migration::v1::MigrationService::service_full_name()},
      .assemble =
          [&state](const pvebus::hook_service::HookProgramParts& parts) -> absl::StatusOr<std::shared_ptr<grpc::Service>> {
        pvebus::migration::RestoreState(parts.chain, state);
        const absl::Status status = parts.chain.Add(pvebus::migration::MigrationEventLogger(parts.logger, state, parts.chain));
        if (!status.ok()) return status;
        return std::make_shared<pvebus::migration::MigrationRpc>(parts.chain, state);
      },
  };
  return pvebus::hook_service::RunHookProgram(program, argc, argv);
}
