// The real bus in the floor's shape: bus-service, three listener processes that use the SDK, and the same publisher.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "sdk/client/channel.h"
#include "sdk/client/listener.h"
#include "tests/bench/measure.h"
#include "tests/support/process.h"

namespace pvebus::bench {
namespace {

using testing::Process;

int RunListener(const std::string& address, const std::string& name) {
  RealClock clock;
  NullLogger logger;
  client::ListenerOptions options;
  options.registration.set_listener(name);
  options.registration.set_max_in_flight(1000);
  client::Listener listener(
      client::Connect(address), options, [](const client::EventContext&) { return client::Answer::Ack(); }, nullptr, clock,
      logger);
  listener.Start();
  if (const auto status = listener.WaitRegistered(std::chrono::seconds(20)); !status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  std::printf("registered\n");
  std::fflush(stdout);
  const auto status = listener.Wait();
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}

absl::Status MeasureBus(const std::string& self, const std::string& journal, const MeasureOptions& measure) {
  constexpr auto kStart = std::chrono::seconds(20);
  std::string directory = (std::filesystem::temp_directory_path() / "pvebus-bench-XXXXXX").string();
  if (mkdtemp(directory.data()) == nullptr) return absl::InternalError("no temporary directory");
  struct Remover {
    const std::string& path;
    ~Remover() { std::filesystem::remove_all(path); }
  } const remover{directory};
  Process bus(
      {testing::ProgramPath("bus-service"), "--journal", journal, "--data-dir", directory + "/bus", "--listen", "127.0.0.1:0"});
  const auto address = bus.WaitForLine("listening on ", kStart);
  if (!address.ok()) return address.status();
  std::vector<std::unique_ptr<Process>> listeners;
  for (int i = 0; i < kListeners; ++i) {
    listeners.push_back(std::make_unique<Process>(
        std::vector<std::string>{self, "--role=listener", "--address=" + *address, absl::StrCat("--name=listener-", i)}));
    if (const auto line = listeners.back()->WaitForLine("registered", kStart); !line.ok()) return line.status();
  }
  const auto status = Measure("publish_gather_" + journal, *address, measure);
  if (!status.ok()) std::fprintf(stderr, "%s\n", bus.StandardError().c_str());
  return status;
}

int Main(int argc, char** argv) {
  CLI::App app("The real bus in the floor's shape");
  std::string role = "measure";
  std::string address;
  std::string name;
  std::string journal = "memory";
  MeasureOptions measure;
  app.add_option("--role", role, "measure starts the others")->check(CLI::IsMember({"measure", "listener"}));
  app.add_option("--journal", journal, "Of the bus")->check(CLI::IsMember({"memory", "sqlite"}))->capture_default_str();
  AddMeasureOptions(app, measure);
  app.add_option("--address", address)->group("");
  app.add_option("--name", name)->group("");
  CLI11_PARSE(app, argc, argv);
  if (role == "listener") return RunListener(address, name);
  const auto status = MeasureBus("/proc/self/exe", journal, measure);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

}  // namespace
}  // namespace pvebus::bench

int main(int argc, char** argv) { return pvebus::bench::Main(argc, argv); }
