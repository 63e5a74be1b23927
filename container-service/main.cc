#include "container-service/flags.h"
#include "container-service/service_parts.h"
#include "sdk/hook_service/hook_main.h"

// container-network-hooks on the bus, and ContainerService.
int main(int argc, char** argv) {
  pvebus::container::Flags flags;
  const pvebus::hook_service::HookProgram program{
      .description =
          "Checks the networks of the node's containers when they start, runs hook programs, and tells what happens to them",
      .default_listen = "127.0.0.1:7402",
      // Programs of some containers that hang do not keep those of others from running.
      .identity = {"container-service", "container-network-hooks", pvebus::container::v1::ContainerService::service_full_name(),
                   /*max_concurrency=*/32},
      .assemble = [&flags](const auto& parts) { return pvebus::container::ServiceParts::Assemble(parts, flags); },
      .add_flags = [&flags](CLI::App& app) { pvebus::container::AddFlags(app, flags); },
  };
  return pvebus::hook_service::RunHookProgram(program, argc, argv);
}
