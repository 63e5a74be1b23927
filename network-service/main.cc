#include <iostream>

#include "CLI/CLI.hpp"
#include "absl/strings/str_join.h"
#include "network-service/flags.h"
#include "network-service/service_parts.h"
#include "sdk/base/clock.h"
#include "sdk/service/rpc_server.h"
#include "sdk/service/service_main.h"

namespace pvebus::network {
namespace {

constexpr char kName[] = "network-service";

struct AllFlags {
  service::ServiceOptions service;
  service::HookServiceOptions bus;
  Flags network;
};

void AddAllFlags(CLI::App& app, AllFlags& flags) {
  service::AddServiceFlags(app, flags.service, "127.0.0.1:7401");
  service::AddHookServiceFlags(app, flags.bus);
  flags.service.data_dir = "/var/lib/pvebus/network";
  app.get_option("--data-dir")
      ->description("Folder of the history of applies, and of what is left to do after a crash; made when it is missing")
      ->default_str(flags.service.data_dir);
  AddFlags(app, flags.network);
}

int Failed(const absl::Status& status) {
  std::cerr << kName << ": " << status.message() << "\n";
  return 1;
}

// Until SIGTERM or SIGINT. An apply that is under way is waited for: a network that is half reloaded helps nobody.
int Serve(const AllFlags& flags, Logger& logger) {
  const RealClock clock;
  auto parts = ServiceParts::Make(
      {.service = flags.service, .bus = flags.bus, .network = flags.network, .clock = clock, .logger = logger});
  if (!parts.ok()) return Failed(parts.status());
  service::RpcServer server(v1::NetworkService::service_full_name());
  if (absl::Status status = server.Start((*parts)->rpc(), flags.service); !status.ok()) return Failed(status);
  (*parts)->Start();
  server.SetServing(true);
  server.PrintListening();
  logger.Info("program=%s state=started addresses=%s bus=%s", kName, absl::StrJoin(server.Addresses(), ","), flags.bus.bus);
  service::NotifySystemd("READY=1");
  const std::string signal = service::WaitForStopSignal();
  service::NotifySystemd("STOPPING=1");
  logger.Info("program=%s state=stopping why=%s", kName, signal);
  server.SayGoingAway();
  server.Stop();
  parts->reset();
  logger.Info("program=%s state=stopped", kName);
  return 0;
}

int Main(int argc, char** argv) {
  service::BlockStopSignals();
  CLI::App app("Applies the network configuration of the node as one transaction, and publishes what changed", kName);
  AllFlags flags;
  AddAllFlags(app, flags);
  if (const auto exit_code = service::ParseCommandLine(app, argc, argv)) return *exit_code;
  if (flags.bus.instance_id.empty()) flags.bus.instance_id = std::string(kName) + "@" + flags.bus.node;
  const auto logger = service::MakeLogger(flags.service);
  if (!logger.ok()) {
    std::cerr << kName << ": " << logger.status().message() << "\n";
    return 2;
  }
  return Serve(flags, **logger);
}

}  // namespace
}  // namespace pvebus::network

int main(int argc, char** argv) { return pvebus::network::Main(argc, argv); }
