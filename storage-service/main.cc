#include <iostream>

#include "CLI/CLI.hpp"
#include "sdk/base/clock.h"
#include "sdk/hook_service/hook_service.h"
#include "sdk/service/service_main.h"
#include "storage-service/rpc/storage_event_logger.h"
#include "storage-service/rpc/storage_rpc.h"

// storage-hooks on the bus, and StorageService.
int main(int argc, char** argv) {
  pvebus::service::BlockStopSignals();

  CLI::App app("Tells what the events of the bus mean for the node's storages", "storage-service");
  pvebus::service::ServiceOptions service_options;
  pvebus::service::HookServiceOptions hook_options;
  pvebus::service::AddServiceFlags(app, service_options, "127.0.0.1:7403");
  pvebus::service::AddHookServiceFlags(app, hook_options);
  if (const auto exit_code = pvebus::service::ParseCommandLine(app, argc, argv)) return *exit_code;

  const auto logger = pvebus::service::MakeLogger(service_options);
  if (!logger.ok()) {
    std::cerr << app.get_name() << ": " << logger.status().message() << "\n";
    return 2;
  }

  const pvebus::RealClock clock;
  pvebus::hook_service::HookService service(
      {"storage-service", "storage-hooks", pvebus::storage::v1::StorageService::service_full_name()}, service_options,
      hook_options, **logger, clock);
  if (const absl::Status status = service.chain().Add(pvebus::storage::StorageEventLogger(**logger)); !status.ok()) {
    (*logger)->Error("program=storage-service state=failed message=\"%s\"", status.message());
    return 1;
  }
  pvebus::storage::StorageRpc rpc(service.chain());
  return service.Run(rpc);
}
