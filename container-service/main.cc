#include "container-service/core/container_starts.h"
#include "container-service/rpc/container_rpc.h"
#include "container-service/rpc/network_event_logger.h"
#include "sdk/hook_service/hook_main.h"

// container-network-hooks on the bus, and ContainerService.
int main(int argc, char** argv) {
  pvebus::container::ContainerStarts starts;
  const pvebus::hook_service::HookProgram program{
      .description = "Tells what the events of the bus mean for the node's containers",
      .default_listen = "127.0.0.1:7402",
      .identity = {"container-service", "container-network-hooks", pvebus::container::v1::ContainerService::service_full_name()},
      .assemble =
          [&starts](const pvebus::hook_service::HookProgramParts& parts) -> absl::StatusOr<std::shared_ptr<grpc::Service>> {
        pvebus::container::RestoreStarts(parts.chain, starts);
        const absl::Status status = parts.chain.Add(pvebus::container::NetworkEventLogger(parts.logger, starts, parts.chain));
        if (!status.ok()) return status;
        return std::make_shared<pvebus::container::ContainerRpc>(parts.chain);
      },
  };
  return pvebus::hook_service::RunHookProgram(program, argc, argv);
}
