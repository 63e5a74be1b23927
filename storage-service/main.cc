#include "sdk/hook_service/hook_main.h"
#include "storage-service/flags.h"
#include "storage-service/service_parts.h"

// storage-hooks on the bus, and StorageService.
int main(int argc, char** argv) {
  pvebus::storage::Flags flags;
  const pvebus::hook_service::HookProgram program{
      .description = "Keeps the node's storages in sight and their VLANs in order, also when events say that the network changed",
      .default_listen = "127.0.0.1:7403",
      .identity = {"storage-service", "storage-hooks", pvebus::storage::v1::StorageService::service_full_name()},
      .assemble = [&flags](const auto& parts) { return pvebus::storage::ServiceParts::Assemble(parts, flags); },
      .add_flags = [&flags](CLI::App& app) { pvebus::storage::AddFlags(app, flags); },
  };
  return pvebus::hook_service::RunHookProgram(program, argc, argv);
}
