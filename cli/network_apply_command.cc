// `pvebus network apply` and `revert`: what may take minutes.
#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>

#include "cli/connection.h"
#include "cli/error_output.h"
#include "cli/network_apply_output.h"
#include "cli/network_commands.h"
#include "cli/options.h"
#include "cli/proto_json.h"
#include "network-service/core/errors.h"
#include "pvebus/network/v1/network_service.grpc.pb.h"
#include "sdk/base/error.h"
#include "sdk/base/mutex.h"
#include "sdk/client/proto_time.h"
#include "sdk/client/random_id.h"

namespace pvebus::cli {
namespace {

using network::v1::Apply;
using network::v1::NetworkService;
using Stub = NetworkService::Stub;

// Two reloads, the locks and the listeners.
constexpr std::chrono::minutes kApplyTimeout{12};
constexpr std::chrono::milliseconds kLookEvery{500};

absl::StatusOr<Apply> Look(Stub& stub, const network::v1::ListAppliesRequest& request, std::chrono::milliseconds timeout) {
  auto response = Call(stub, &Stub::ListApplies, request, timeout);
  if (!response.ok()) return response.status();
  if (response->applies().empty()) return absl::NotFoundError("there is no such apply");
  return std::move(*response->mutable_applies(0));
}

// Says on the terminal what network-service is doing with a request. Owns its thread.
class ApplyProgress {
 public:
  ApplyProgress(Stub& stub, std::string request_id, Console& console)
      : stub_(stub), request_id_(std::move(request_id)), progress_("waiting for network-service", clock_, console) {
    if (console.err_is_terminal) thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  }
  ~ApplyProgress() {
    thread_.request_stop();
    MutexLock lock(mutex_);
    changed_.NotifyAll();
  }

 private:
  void Run(const std::stop_token& stop) {
    network::v1::ListAppliesRequest request;
    request.set_request_id(request_id_);
    while (!stop.stop_requested()) {
      const auto apply = Look(stub_, request, kLookEvery);
      if (apply.ok()) Say(apply->has_end_time() ? "applied, waiting for the listeners" : StepInWords(*apply));
      const SteadyTime until = clock_.SteadyNow() + kLookEvery;
      MutexLock lock(mutex_);
      while (!stop.stop_requested() && changed_.WaitUntil(mutex_, until)) {
      }
    }
  }

  void Say(const std::string& words) {
    if (!words.empty()) progress_.Say(words);
  }

  const RealClock clock_;
  Stub& stub_;
  const std::string request_id_;
  Progress progress_;
  Mutex mutex_;
  CondVar changed_;
  std::jthread thread_;  // last: it ends before the others go
};

// What became of an apply that was undone: it has more to say than the error. Others that an error names are only in the way.
void ShowUndone(Stub& stub, const std::string& request_id, const absl::Status& error, Console& console) {
  const std::string apply_id = ErrorMetadata(error)["apply_id"];
  if (apply_id.empty()) return;
  network::v1::ListAppliesRequest request;
  request.set_apply_id(apply_id);
  const auto apply = Look(stub, request, kDefaultTimeout);
  if (!apply.ok() || (apply->request_id() != request_id && ErrorReason(error) != "UNDO_FAILED")) return;
  if (console.json()) {
    console.out << ToJson(*apply, JsonLayout::kPretty);
    return;
  }
  console.err << '\n';
  PrintApply(*apply, console.err);
  PrintReloadOutput(*apply, console.err);
}

template <typename Method, typename Request>
int Execute(Method method, Request request, GlobalOptions global, Console& console) {
  global.server.when_late = "see how it ended, for it goes on: `pvebus network history`";
  const auto stub = NetworkService::NewStub(client::Connect(global.server.address));
  client::LockedRandom random;
  // So that what was lost on the way can be found: `pvebus network history`.
  if (request.request_id().empty()) request.set_request_id(client::RandomId(random));
  const auto response = [&] {
    const ApplyProgress progress(*stub, request.request_id(), console);
    return Call(*stub, method, request, global.TimeoutOr(kApplyTimeout));
  }();
  if (!response.ok()) {
    const int exit_code = PrintRefusal(response.status(), global, console);
    ShowUndone(*stub, request.request_id(), response.status(), console);
    return exit_code;
  }
  Show(response->apply(), console, [&](std::ostream& out) { PrintApply(response->apply(), out); });
  return ExitCodeOf(response->apply());
}

template <typename Request>
void AddCommonOptions(CLI::App& command, Request& request) {
  command.add_option("--reason", *request.mutable_reason(), "Why, for the history")->type_name("TEXT");
  command.add_option("--request-id", *request.mutable_request_id(), "Do it at most once, however often this is repeated")
      ->type_name("ID");
  command.add_flag_callback(
      "--dry-run", [&request] { request.set_validate_only(true); }, "Only check, and say what would change");
}

void CheckConfirm(std::chrono::milliseconds timeout) {
  if (timeout >= network::kLeastConfirmTimeout && timeout <= network::kMostConfirmTimeout) return;
  throw CLI::ValidationError("--confirm", "is a time of 1s..24h; leave it out when no confirmation is needed");
}

struct ApplyArguments {
  network::v1::ApplyPendingChangesRequest request;
  std::optional<std::chrono::milliseconds> confirm;
};

}  // namespace

void AddNetworkApplyCommand(CLI::App& network, const AskService& ask) {
  auto arguments = std::make_shared<ApplyArguments>();
  CLI::App* command = network.add_subcommand("apply", "Make what is staged the network of the node, as one transaction");
  AddDuration(*command, "--confirm", arguments->confirm,
              "Undo it unless `pvebus network confirm` comes within this time, 1s..24h");
  command->add_option("--etag", *arguments->request.mutable_etag(), "Only if nothing has changed since `pvebus network pending`")
      ->type_name("ETAG");
  AddCommonOptions(*command, arguments->request);
  command->footer(R"(Examples:
  pvebus network apply --dry-run
  pvebus network apply --confirm 60s --reason "vmbr0 onto the bond"
  pvebus network apply --output json | jq '.publications[].result.outcome'

/etc/network/interfaces.new is checked, becomes /etc/network/interfaces, `ifreload -a` brings the network to it, and the kernel is
compared with it. Whatever goes wrong, the old file and the old network come back, and the bus hears network_apply_failed. When all
is well NetworkApplied is published, and what every listener did with it is shown. It goes on when this command is interrupted:
`pvebus network history` tells how it ended. It is waited for 12 minutes, or as long as --timeout says.

With --confirm the old network comes back by itself when you cannot reach the node any more, also when network-service is killed.

Exit status: 0 it is in force and all listeners succeeded (or, with --dry-run, it could be applied), 1 it is in force, but a listener
failed or is pending, or the bus is away, 2 wrong usage, 3 refused or undone, or network-service is unreachable.)");
  command->callback([arguments, ask] {
    if (arguments->confirm) {
      CheckConfirm(*arguments->confirm);
      *arguments->request.mutable_confirm_timeout() = client::ToProto(Duration(*arguments->confirm));
    }
    ask([arguments](const GlobalOptions& global, Console& console) {
      return Execute(&Stub::ApplyPendingChanges, arguments->request, global, console);
    });
  });
}

void AddNetworkRevertCommand(CLI::App& network, const AskService& ask) {
  auto request = std::make_shared<network::v1::RevertApplyRequest>();
  CLI::App* command = network.add_subcommand("revert", "Take the last apply back: the file and the network that were before it");
  command->add_option("APPLY", *request->mutable_apply_id(), "Only if it is this one (default: the last)");
  AddCommonOptions(*command, *request);
  command->footer(R"(Examples:
  pvebus network revert --dry-run
  pvebus network revert --reason "storage is slow"

What awaits confirmation is undone at once. What was committed is taken back by an apply of its own, with all its checks, and only
while the file is still what that apply made of it.

Exit status: 0 the old network is back and all listeners succeeded, 1 it is back, but a listener failed or is pending, or the bus is
away, 2 wrong usage, 3 refused or undone, or network-service is unreachable.)");
  command->callback([request, ask] {
    ask([request](const GlobalOptions& global, Console& console) {
      return Execute(&Stub::RevertApply, *request, global, console);
    });
  });
}

}  // namespace pvebus::cli
