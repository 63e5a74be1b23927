#include <memory>

#include "migration-service/core/migration_state.h"
#include "migration-service/rpc/hooks_takeover.h"
#include "migration-service/rpc/migration_event_logger.h"
#include "migration-service/rpc/migration_rpc.h"
#include "migration-service/store/sqlite_migration_store.h"
#include "sdk/hook_service/hook_main.h"

namespace pvebus::migration {
namespace {

// What outlives the hooks.
struct Kept {
  std::unique_ptr<MigrationStore> store;
  std::unique_ptr<MigrationState> state;
};

absl::StatusOr<std::shared_ptr<grpc::Service>> Assemble(const hook_service::HookProgramParts& parts, Kept& kept) {
  auto store = SqliteMigrationStore::Open(parts.service.data_dir);
  if (!store.ok()) return store.status();
  kept.store = *std::move(store);
  if (absl::Status status = TakeOverFromHooks(parts.chain, *kept.store); !status.ok()) return status;
  auto state = MigrationState::Load(*kept.store);
  if (!state.ok()) return state.status();
  kept.state = *std::move(state);
  if (absl::Status status = parts.chain.Add(MigrationEventLogger(parts.logger, *kept.state, parts.chain)); !status.ok()) {
    return status;
  }
  return std::make_shared<MigrationRpc>(parts.chain, *kept.state);
}

}  // namespace
}  // namespace pvebus::migration

// migration-hooks on the bus, and MigrationService.
int main(int argc, char** argv) {
  pvebus::migration::Kept kept;
  const pvebus::hook_service::HookProgram program{
      .description = "Follows the migration of the node's network API through the events of the bus",
      .default_listen = "127.0.0.1:7404",
      .identity = {"migration-service", "migration-hooks", pvebus::migration::v1::MigrationService::service_full_name()},
      .assemble = [&kept](const auto& parts) { return pvebus::migration::Assemble(parts, kept); },
  };
  return pvebus::hook_service::RunHookProgram(program, argc, argv);
}
