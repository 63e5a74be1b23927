#include "cli/attempt_output.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/error_output.h"
#include "cli/event_output.h"
#include "cli/options.h"
#include "cli/proto_json.h"
#include "cli/result_output.h"
#include "pvebus/bus/v1/journal_service.grpc.pb.h"

namespace pvebus::cli {
namespace {

using bus::v1::JournalService;

struct EventArguments {
  std::string key;
  std::string event_id;
};

void PrintReport(const bus::v1::GetEventResponse& report, std::ostream& out) {
  const Facts facts(out);
  AddEventFacts(report.event(), facts);
  facts.Add("request", report.request_id());
  facts.Add("outcome", FormatOutcome(report.result()));
  PrintListenerResults(report.result(), ProgramOutput::kWhole, out);
  PrintAttempts(report.attempts(), out);
}

int ShowEvent(const EventArguments& arguments, const GlobalOptions& global, Console& console) {
  bus::v1::GetEventRequest request;
  const auto sequence = ParseNumber(arguments.key);
  if (sequence) {
    request.set_sequence(*sequence);
  } else {
    request.set_event_id(arguments.key + arguments.event_id);
  }
  const auto response = Ask<JournalService>(&JournalService::Stub::GetEvent, request, global, console);
  if (!response.ok()) return PrintRefusal(response.status(), global, console);
  Show(*response, console, [&](std::ostream& out) { PrintReport(*response, out); });
  return ExitCodeOf(response->result());
}

}  // namespace

void AddEventCommand(CLI::App& root, Action& action) {
  auto arguments = std::make_shared<EventArguments>();
  CLI::App* command = root.add_subcommand("event", "Show everything about one event: every listener, hook and failed attempt");
  auto* key = command->add_option("ID", arguments->key, "The event's id, or its sequence number")->type_name("ID|SEQUENCE");
  command->add_option("--event-id", arguments->event_id, "The same for an id that looks like a number")->excludes(key);
  command->footer(R"(Examples:
  pvebus event 0192f3c1-7f3e-7a52-9a55-0f4d1f6f9b10
  pvebus event 4711
  pvebus event 4711 --output json | jq '.attempts[].error.message'

Exit status: as of `pvebus publish`, by how the event stands now.)");
  command->callback([arguments, &action] {
    if (arguments->key.empty() && arguments->event_id.empty())
      throw CLI::RequiredError("ID or SEQUENCE (`pvebus events` shows them)");
    action = [arguments](const GlobalOptions& global, Console& console) { return ShowEvent(*arguments, global, console); };
  });
}

}  // namespace pvebus::cli
