#include "absl/strings/str_format.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/error_output.h"
#include "cli/options.h"
#include "cli/proto_json.h"
#include "cli/table.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "sdk/client/channel.h"

namespace pvebus::cli {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

struct HealthArguments {
  std::string service;
  std::string address;
  std::optional<std::chrono::milliseconds> wait;
};

std::string ServerName(const HealthArguments& arguments) {
  return arguments.service.empty() ? "the server" : Printable(arguments.service);
}

int Report(const HealthArguments& arguments, const std::string& address, const HealthCheckResponse& health, Console& console) {
  Show(health, console, [&](std::ostream& out) {
    out << absl::StrFormat("%s at %s: %s\n", ServerName(arguments), address,
                           HealthCheckResponse::ServingStatus_Name(health.status()));
  });
  return health.status() == HealthCheckResponse::SERVING ? kAllSucceeded : kListenerFailed;
}

// Follows the server's word until it is SERVING, through reconnects. Returns the last word heard, if any.
std::optional<HealthCheckResponse> WaitUntilServing(const std::shared_ptr<grpc::Channel>& channel,
                                                    const HealthCheckRequest& request,
                                                    std::chrono::system_clock::time_point deadline) {
  std::optional<HealthCheckResponse> last;
  const auto stub = Health::NewStub(channel);
  while (std::chrono::system_clock::now() < deadline && channel->WaitForConnected(deadline)) {
    grpc::ClientContext context;
    context.set_deadline(deadline);
    const auto stream = stub->Watch(&context, request);
    HealthCheckResponse health;
    while (stream->Read(&health)) {
      last = health;
      if (health.status() != HealthCheckResponse::SERVING) continue;
      context.TryCancel();
      stream->Finish();
      return last;
    }
    // A server that answers but does not offer this would otherwise be asked in a hot loop.
    if (stream->Finish().error_code() == grpc::StatusCode::UNIMPLEMENTED) return last;
  }
  return last;
}

int CheckHealth(const HealthArguments& arguments, const GlobalOptions& global, Console& console) {
  GlobalOptions target = global;
  if (!arguments.address.empty()) {
    target.server = {"the server", arguments.address, "--address", "see what it logs"};
  }
  const auto channel = client::Connect(target.server.address);
  HealthCheckRequest request;
  request.set_service(arguments.service);
  if (arguments.wait) {
    const auto last = WaitUntilServing(channel, request, std::chrono::system_clock::now() + *arguments.wait);
    if (last) return Report(arguments, target.server.address, *last, console);
    // Nothing heard: the single question below says why.
  }
  const auto stub = Health::NewStub(channel);
  const auto health = Call(*stub, &Health::Stub::Check, request, global.TimeoutOr(kDefaultTimeout));
  if (!health.ok() && health.status().code() == absl::StatusCode::kNotFound) {
    HealthCheckResponse unknown;
    unknown.set_status(HealthCheckResponse::SERVICE_UNKNOWN);
    return Report(arguments, target.server.address, unknown, console);
  }
  if (!health.ok()) return PrintRefusal(health.status(), target, console);
  return Report(arguments, target.server.address, *health, console);
}

}  // namespace

void AddHealthCommand(CLI::App& root, Action& action) {
  auto arguments = std::make_shared<HealthArguments>();
  CLI::App* command = root.add_subcommand("health", "Ask the bus, or any service of it, whether it is ready");
  command->add_option("SERVICE", arguments->service, "Name of a gRPC service (default: the server as a whole)");
  command->add_option("--address", arguments->address, "Where it is (default: the bus)");
  AddDuration(*command, "--wait", arguments->wait, "Wait so long for it to become ready");
  command->footer(R"(Examples:
  pvebus health
  pvebus health pvebus.bus.v1.BusService --wait 30s
  pvebus health --address 127.0.0.1:7402

Exit status: 0 it is serving, 1 it is not, 2 wrong usage, 3 it is unreachable.)");
  command->callback([arguments, &action] {
    action = [arguments](const GlobalOptions& global, Console& console) { return CheckHealth(*arguments, global, console); };
  });
}

}  // namespace pvebus::cli
