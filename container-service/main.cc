#include <iostream>

#include "CLI/CLI.hpp"
#include "container-service/core/container_starts.h"
#include "container-service/rpc/container_rpc.h"
#include "container-service/rpc/network_event_logger.h"
#include "sdk/base/clock.h"
#include "sdk/hook_service/hook_service.h"
#include "sdk/service/service_main.h"

// container-network-hooks on the bus, and ContainerService.
int main(int argc, char** argv) {
  pvebus::service::BlockStopSignals();

  CLI::App app("Tells what the events of the bus mean for the node's containers", "container-service");
  pvebus::service::ServiceOptions service_options;
  pvebus::service::HookServiceOptions hook_options;
  pvebus::service::AddServiceFlags(app, service_options, "127.0.0.1:7402");
  pvebus::service::AddHookServiceFlags(app, hook_options);
  if (const auto exit_code = pvebus::service::ParseCommandLine(app, argc, argv)) return *exit_code;

  const auto logger = pvebus::service::MakeLogger(service_options);
  if (!logger.ok()) {
    std::cerr << app.get_name() << ": " << logger.status().message() << "\n";
    return 2;
  }

  const pvebus::RealClock clock;
  pvebus::container::ContainerStarts starts;
  pvebus::hook_service::HookService service(
      {"container-service", "container-network-hooks", pvebus::container::v1::ContainerService::service_full_name()},
      service_options, hook_options, **logger, clock);
  if (const absl::Status status = service.chain().Add(pvebus::container::NetworkEventLogger(**logger, starts)); !status.ok()) {
    (*logger)->Error("program=container-service state=failed message=\"%s\"", status.message());
    return 1;
  }
  pvebus::container::ContainerRpc rpc(service.chain());
  return service.Run(rpc);
}
