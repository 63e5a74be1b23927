#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/security/server_credentials.h"
#include "sdk/base/log.h"

namespace CLI {
class App;
}
namespace grpc {
class Server;
class ServerBuilder;
}  // namespace grpc

namespace pvebus::service {

// What every service's command line has.
struct ServiceOptions {
  std::vector<std::string> listen;  // 127.0.0.1:7400, [::1]:7400, unix:/run/pvebus/bus.sock; port 0 picks a free one
  std::string data_dir;
  std::string log_level = "info";
  std::string log_format = "text";
  bool insecure = false;  // listening beyond loopback and unix sockets without TLS is meant
};

// What the services other than the bus have besides.
struct HookServiceOptions {
  std::string bus = "127.0.0.1:7400";
  std::string instance_id;  // default: <service>@<node>
  std::string node;         // default: the host name
};

// Adds the flags, --config (TOML, same names) and --version.
void AddServiceFlags(CLI::App& app, ServiceOptions& options, const std::string& default_listen);
void AddHookServiceFlags(CLI::App& app, HookServiceOptions& options);
// Parses; on error prints what is wrong, with the nearest flag there is, and returns exit code 2; on --help or --version 0.
// Empty: go on.
std::optional<int> ParseCommandLine(CLI::App& app, int argc, char** argv);

// A logger of text or JSON lines on standard error.
absl::StatusOr<std::unique_ptr<Logger>> MakeLogger(const ServiceOptions& options);

// OK, or INVALID_ARGUMENT / FAILED_PRECONDITION (beyond loopback without --insecure) that names the address.
absl::Status CheckListenAddresses(const ServiceOptions& options);

// Call before any server is built: health, reflection and channelz for every server of the process.
void InitServerPlugins();

// Adds every address to `builder`; after BuildAndStart, PrintListening prints `listening on ADDRESS` for each on standard
// output, with the port that was picked. A unix socket left over by a dead process is removed first.
class ListenPorts {
 public:
  absl::Status AddTo(grpc::ServerBuilder& builder, const ServiceOptions& options);
  void PrintListening() const;

 private:
  struct Port {
    std::string address;
    std::unique_ptr<int> bound;
  };
  std::vector<Port> ports_;
};

// Blocks SIGTERM and SIGINT in this thread and every thread started later. Call first in main.
void BlockStopSignals();
// Waits for one of them and returns its name. Requires: BlockStopSignals.
std::string WaitForStopSignal();
// A thread that calls `on_stop(signal)` once when one arrives. Destroying it ends the wait.
class StopSignalThread {
 public:
  explicit StopSignalThread(std::function<void(const std::string&)> on_stop);
  ~StopSignalThread();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Tells systemd READY=1, STOPPING=1, STATUS=...; nothing when not started by it.
void NotifySystemd(const std::string& state);

// HostName() for --node's default.
std::string HostName();

}  // namespace pvebus::service
