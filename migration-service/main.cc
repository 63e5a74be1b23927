#include "migration-service/flags.h"
#include "migration-service/service_parts.h"
#include "sdk/hook_service/hook_main.h"

// migration-hooks on the bus, and MigrationService.
int main(int argc, char** argv) {
  pvebus::migration::Flags flags;
  const pvebus::hook_service::HookProgram program{
      .description = "Moves the node's network API to its new implementation, phase by phase and back, and says who answers what",
      .default_listen = "127.0.0.1:7404",
      .identity = {"migration-service", "migration-hooks", pvebus::migration::v1::MigrationService::service_full_name()},
      .assemble = [&flags](const auto& parts) { return pvebus::migration::ServiceParts::Assemble(parts, flags); },
      .add_flags = [&flags](CLI::App& app) { pvebus::migration::AddFlags(app, flags); },
  };
  return pvebus::hook_service::RunHookProgram(program, argc, argv);
}
