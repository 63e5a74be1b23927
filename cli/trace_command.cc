#include <algorithm>

#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/error_output.h"
#include "cli/proto_json.h"
#include "cli/result_output.h"
#include "cli/trace_output.h"
#include "pvebus/bus/v1/journal_service.grpc.pb.h"

namespace pvebus::cli {
namespace {

using bus::v1::JournalService;

int ShowTrace(const std::string& event_id, const GlobalOptions& global, Console& console) {
  bus::v1::TraceEventRequest request;
  request.set_event_id(event_id);
  const auto response = Ask<JournalService>(&JournalService::Stub::TraceEvent, request, global, console);
  if (!response.ok()) return PrintRefusal(response.status(), global, console);
  Show(*response, console, [&](std::ostream& out) { PrintTrace(*response, event_id, out); });
  const auto succeeded = [](const bus::v1::TraceNode& node) { return ExitCodeOf(node.result()) == kAllSucceeded; };
  const bool all = std::all_of(response->nodes().begin(), response->nodes().end(), succeeded);
  return all ? kAllSucceeded : kListenerFailed;
}

}  // namespace

void AddTraceCommand(CLI::App& root, Action& action) {
  auto event_id = std::make_shared<std::string>();
  CLI::App* command = root.add_subcommand("trace", "Show who caused what: the tree of events that an event belongs to");
  command->add_option("ID", *event_id, "Any event of the tree")->required();
  command->footer(R"(Examples:
  pvebus trace 0192f3c1-7f3e-7a52-9a55-0f4d1f6f9b10
  pvebus trace 0192f3c1-7f3e-7a52-9a55-0f4d1f6f9b10 --output json

Of an event, AFTER is the time since the first one was published, and TOOK the time of its slowest listener.
Exit status: 0 everything in the tree succeeded, 1 something failed or is pending, 2 wrong usage, 3 unreachable or refused.)");
  command->callback([event_id, &action] {
    action = [event_id](const GlobalOptions& global, Console& console) { return ShowTrace(*event_id, global, console); };
  });
}

}  // namespace pvebus::cli
