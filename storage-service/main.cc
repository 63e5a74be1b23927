#include "sdk/hook_service/hook_main.h"
#include "storage-service/rpc/storage_event_logger.h"
#include "storage-service/rpc/storage_rpc.h"

// storage-hooks on the bus, and StorageService.
int main(int argc, char** argv) {
  const pvebus::hook_service::HookProgram program{
      .description = "Tells what the events of the bus mean for the node's storages",
      .default_listen = "127.0.0.1:7403",
      .identity = {"storage-service", "storage-hooks", pvebus::storage::v1::StorageService::service_full_name()},
      .assemble = [](const pvebus::hook_service::HookProgramParts& parts) -> absl::StatusOr<std::unique_ptr<grpc::Service>> {
        const absl::Status status = parts.chain.Add(pvebus::storage::StorageEventLogger(parts.logger));
        if (!status.ok()) return status;
        return std::make_unique<pvebus::storage::StorageRpc>(parts.chain);
      },
  };
  return pvebus::hook_service::RunHookProgram(program, argc, argv);
}
