#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/error_output.h"
#include "cli/event_selection.h"
#include "cli/facts.h"
#include "cli/options.h"
#include "cli/proto_json.h"
#include "pvebus/bus/v1/journal_service.grpc.pb.h"

namespace pvebus::cli {
namespace {

using bus::v1::JournalService;

struct ReplayArguments {
  EventSelection selection;
  std::vector<std::string> listeners;
  bool validate_only = false;
  bool dry_run = false;
};

void PrintReplay(const ReplayArguments& arguments, const bus::v1::ReplayEventsResponse& response, std::ostream& out) {
  if (response.event_count() == 0) {
    out << "nothing to replay: no such event in that part of the journal\n";
    return;
  }
  const Facts facts(out);
  facts.Add("replay", arguments.validate_only ? "none, only validated: nothing is delivered" : response.replay_id());
  facts.Add("events", response.event_count());
  facts.Add("deliveries", absl::StrFormat("%d, to %s%s", response.delivery_count(), absl::StrJoin(arguments.listeners, ", "),
                                          arguments.dry_run ? "; they say what they would do and do nothing" : ""));
  if (arguments.validate_only) return;
  facts.Add("to watch it", absl::StrFormat("pvebus listeners %s   (backlog, in flight, dead letters)", arguments.listeners[0]));
  facts.Add("of one event", "pvebus event ID   (what each listener did now; attempts that fail name the replay)");
}

int Replay(const ReplayArguments& arguments, const GlobalOptions& global, Console& console) {
  auto request = arguments.selection.ToRequest<bus::v1::ReplayEventsRequest>();
  request.set_validate_only(arguments.validate_only);
  request.set_dry_run(arguments.dry_run);
  for (const std::string& listener : arguments.listeners) request.add_listeners(listener);
  const auto end = arguments.selection.EndSequence(global);
  if (!end.ok()) return PrintRefusal(end.status(), global, console);
  bus::v1::ReplayEventsResponse nothing;
  if (*end) request.set_end_sequence(**end);
  const auto response =
      *end ? Ask<JournalService>(&JournalService::Stub::ReplayEvents, request, global, console) : std::move(nothing);
  if (!response.ok()) return PrintRefusal(response.status(), global, console);
  Show(*response, console, [&](std::ostream& out) { PrintReplay(arguments, *response, out); });
  return kAllSucceeded;
}

}  // namespace

void AddReplayCommand(CLI::App& root, Action& action) {
  auto arguments = std::make_shared<ReplayArguments>();
  CLI::App* command = root.add_subcommand("replay", "Deliver events again, to listeners that are named");
  command->add_option("--to", arguments->listeners, "The listeners, durable ones; comma separated or repeated")
      ->type_name("LISTENER")
      ->delimiter(',')
      ->required();
  AddBeginning(*command, "--from", arguments->selection.from, "The first event")->required();
  AddEnd(*command, "--until", arguments->selection.until,
         "The last sequence, or what was published before a time (default: the newest)");
  AddEventFilters(*command, arguments->selection);
  auto* dry_run =
      command->add_flag("--dry-run", arguments->dry_run, "The listeners shall say what they would do, and do nothing");
  command->add_flag("--validate-only", arguments->validate_only, "Say how many deliveries there would be, do nothing")
      ->excludes(dry_run);
  command->footer(R"(Examples:
  pvebus replay --to storage-hooks --from -2h --validate-only
  pvebus replay --to storage-hooks,container-network-hooks --from 4711 --until 4800
  pvebus replay --to audit --from earliest --type container_started --filter 'source = "pve1"'
  pvebus replay --to storage-hooks --from '2026-11-23 12:00' --dry-run

It asks nothing and begins at once. A listener gets each event again though it may have handled it before, also events it did not
want; every such delivery carries the replay's id. More than 100,000 events are refused.)");
  command->callback([arguments, &action] {
    CheckDirection(arguments->selection, "--until");
    action = [arguments](const GlobalOptions& global, Console& console) { return Replay(*arguments, global, console); };
  });
}

}  // namespace pvebus::cli
