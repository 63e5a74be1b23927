#include "absl/strings/str_format.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/duration.h"
#include "cli/error_output.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/proto_json.h"
#include "cli/result_output.h"
#include "pvebus/bus/v1/bus_service.grpc.pb.h"
#include "sdk/client/channel.h"
#include "sdk/client/proto_time.h"

namespace pvebus::cli {
namespace {

using bus::v1::BusService;

struct ResultArguments {
  std::string event_id;
  std::string request_id;
  std::optional<size_t> wait;  // first-attempt, settled
  std::optional<std::chrono::milliseconds> wait_timeout;
};

int ShowResult(const ResultArguments& arguments, const GlobalOptions& global, Console& console) {
  bus::v1::GetPublishResultRequest request;
  if (arguments.request_id.empty()) {
    request.set_event_id(arguments.event_id);
  } else {
    request.set_request_id(arguments.request_id);
  }
  if (arguments.wait)
    request.set_wait_policy(static_cast<bus::v1::WaitPolicy>(bus::v1::WAIT_POLICY_FIRST_ATTEMPT + *arguments.wait));
  if (arguments.wait_timeout) *request.mutable_wait_timeout() = client::ToProto(*arguments.wait_timeout);
  const auto wait = arguments.wait ? arguments.wait_timeout.value_or(std::chrono::seconds(10)) : std::chrono::milliseconds(0);

  const auto stub = BusService::NewStub(client::Connect(global.server.address));
  const auto response = [&] {
    const RealClock clock;
    const Progress progress("waiting for the listeners", clock, console);
    return Call(*stub, &BusService::Stub::GetPublishResult, request, global.TimeoutOr(wait + kDefaultTimeout));
  }();
  if (!response.ok()) return PrintRefusal(response.status(), global, console);
  Show(*response, console, [&](std::ostream& out) { PrintResult(response->result(), out); });
  return ExitCodeOf(response->result());
}

}  // namespace

void AddResultCommand(CLI::App& root, Action& action) {
  auto arguments = std::make_shared<ResultArguments>();
  CLI::App* command = root.add_subcommand("result", "Show how an earlier publish stands now");
  auto* event_id = command->add_option("EVENT_ID", arguments->event_id, "The event");
  command->add_option("--request-id", arguments->request_id, "The request, when the event's id is not known")->excludes(event_id);
  AddChoice(*command, "--wait", arguments->wait, {"first-attempt", "settled"},
            "Wait until each listener answered once, or until all is final (default: do not wait)");
  AddDuration(*command, "--wait-timeout", arguments->wait_timeout, "Wait at most so long (default 10s, at most 30s)");
  command->footer(R"(Examples:
  pvebus result 0192f3c1-7f3e-7a52-9a55-0f4d1f6f9b10
  pvebus result --request-id nightly-2026-11-23 --wait settled

Exit status: as of `pvebus publish`.)");
  command->callback([arguments, &action] {
    if (arguments->event_id.empty() && arguments->request_id.empty()) throw CLI::RequiredError("EVENT_ID or --request-id");
    action = [arguments](const GlobalOptions& global, Console& console) { return ShowResult(*arguments, global, console); };
  });
}

}  // namespace pvebus::cli
