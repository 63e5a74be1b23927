// What gRPC itself costs for the bus's shape: publish -> three listener processes -> gather -> reply, and nothing else.
#include <cstdio>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "grpcpp/ext/channelz_service_plugin.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/grpcpp.h"
#include "tests/bench/floor_listener.h"
#include "tests/bench/floor_server.h"
#include "tests/bench/measure.h"
#include "tests/support/process.h"

namespace pvebus::bench {
namespace {

using testing::Process;

void RunServer(const FloorOptions& options) {
  const auto has = [&](const char* plugin) { return options.plugins.find(plugin) != std::string::npos; };
  if (has("health")) grpc::EnableDefaultHealthCheckService(true);
  if (has("reflection")) grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  if (has("channelz")) grpc::channelz::experimental::InitChannelzService();
  auto floor = options.server == "callback" ? MakeCallbackFloor(options)
               : options.raw                ? MakeRawQueueFloor(options)
                                            : MakeQueueFloor(options);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  floor->AddTo(builder);
  const auto server = builder.BuildAndStart();
  std::printf("listening on 127.0.0.1:%d\n", port);
  std::fflush(stdout);
  floor->Run();
}

absl::Status MeasureFloor(const std::string& self, const FloorOptions& options, const MeasureOptions& measure) {
  constexpr auto kStart = std::chrono::seconds(20);
  std::vector<std::string> arguments = {self, "--role=server", "--server=" + options.server};
  std::string name = "grpc_floor_" + options.server;
  if (!options.plugins.empty()) {
    arguments.push_back("--plugins=" + options.plugins);
    name += "_plugins";
  }
  for (const auto& [flag, on] : {std::pair("raw", options.raw), std::pair("batch", options.batch)}) {
    if (!on) continue;
    arguments.push_back(absl::StrCat("--", flag));
    absl::StrAppend(&name, "_", flag);
  }
  Process server(arguments);
  const auto address = server.WaitForLine("listening on ", kStart);
  if (!address.ok()) return address.status();
  std::vector<std::unique_ptr<Process>> listeners;
  for (int i = 0; i < kListeners; ++i) {
    listeners.push_back(std::make_unique<Process>(
        std::vector<std::string>{self, "--role=listener", "--address=" + *address, absl::StrCat("--name=listener-", i)}));
    if (const auto line = listeners.back()->WaitForLine("registered", kStart); !line.ok()) return line.status();
  }
  return Measure(name, *address, measure);
}

int Main(int argc, char** argv) {
  CLI::App app("What gRPC itself costs for the bus's shape");
  std::string role = "measure";
  std::string address;
  std::string name;
  FloorOptions options;
  MeasureOptions measure;
  app.add_option("--role", role, "measure starts the others")->check(CLI::IsMember({"measure", "server", "listener"}));
  app.add_option("--server", options.server, "gRPC API of the server")->check(CLI::IsMember({"callback", "cq"}));
  app.add_option("--plugins", options.plugins, "any of health,reflection,channelz on the same server");
  app.add_flag("--raw", options.raw, "with cq: methods take and give bytes");
  app.add_flag("--batch", options.batch, "everything that is queued goes out as one message");
  AddMeasureOptions(app, measure);
  app.add_option("--address", address)->group("");
  app.add_option("--name", name)->group("");
  CLI11_PARSE(app, argc, argv);
  if (role == "server") {
    RunServer(options);
  } else if (role == "listener") {
    RunFloorListener(address, name);
  } else if (const auto status = MeasureFloor("/proc/self/exe", options, measure); !status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace pvebus::bench

int main(int argc, char** argv) { return pvebus::bench::Main(argc, argv); }
