#include <iostream>

#include "CLI/CLI.hpp"
#include "migration-service/core/migration_state.h"
#include "migration-service/rpc/migration_event_logger.h"
#include "migration-service/rpc/migration_rpc.h"
#include "sdk/base/clock.h"
#include "sdk/hook_service/hook_service.h"
#include "sdk/service/service_main.h"

// migration-hooks on the bus, and MigrationService.
int main(int argc, char** argv) {
  pvebus::service::BlockStopSignals();

  CLI::App app("Follows the migration of the node's network API through the events of the bus", "migration-service");
  pvebus::service::ServiceOptions service_options;
  pvebus::service::HookServiceOptions hook_options;
  pvebus::service::AddServiceFlags(app, service_options, "127.0.0.1:7404");
  pvebus::service::AddHookServiceFlags(app, hook_options);
  if (const auto exit_code = pvebus::service::ParseCommandLine(app, argc, argv)) return *exit_code;

  const auto logger = pvebus::service::MakeLogger(service_options);
  if (!logger.ok()) {
    std::cerr << app.get_name() << ": " << logger.status().message() << "\n";
    return 2;
  }

  const pvebus::RealClock clock;
  pvebus::migration::MigrationState state;
  pvebus::hook_service::HookService service(
      {"migration-service", "migration-hooks", pvebus::migration::v1::MigrationService::service_full_name()}, service_options,
      hook_options, **logger, clock);
  if (const absl::Status status = service.chain().Add(pvebus::migration::MigrationEventLogger(**logger, state)); !status.ok()) {
    (*logger)->Error("program=migration-service state=failed message=\"%s\"", status.message());
    return 1;
  }
  pvebus::migration::MigrationRpc rpc(service.chain(), state);
  return service.Run(rpc);
}
