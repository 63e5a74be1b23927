#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/error_output.h"
#include "cli/event_output.h"
#include "cli/event_selection.h"
#include "cli/event_stream.h"
#include "cli/options.h"
#include "sdk/service/stop_signal.h"

namespace pvebus::cli {
namespace {

struct WatchArguments {
  EventSelection selection;
  uint64_t count = 0;
  bool original = false;
};

int Watch(const WatchArguments& arguments, const GlobalOptions& global, Console& console) {
  service::BlockStopSignals();
  const auto channel = client::Connect(global.server.address);
  if (const absl::Status status = CheckReachable(channel, global.TimeoutOr(kDefaultTimeout)); !status.ok()) {
    return PrintRefusal(status, global, console);
  }
  auto request = arguments.selection.ToRequest<bus::v1::WatchEventsRequest>();
  request.set_max_events(arguments.count);
  const EventLayout layout = LayoutFor(arguments.original, console);
  grpc::ClientContext context;
  const service::StopSignalThread stop([&context](const std::string&) { context.TryCancel(); });
  const absl::Status status = StreamEvents(channel, request, context, [&](const bus::v1::WatchEventsResponse& next) {
    for (const bus::v1::LostEvents& lost : next.lost()) PrintLost(lost, console);
    PrintEventLine(next.event(), layout, console.out);
    return console.out.good();
  });
  return status.ok() ? kAllSucceeded : PrintRefusal(status, global, console);
}

}  // namespace

void AddWatchCommand(CLI::App& root, Action& action) {
  auto arguments = std::make_shared<WatchArguments>();
  CLI::App* command = root.add_subcommand("watch", "Show events as they pass, without being a listener");
  AddEventFilters(*command, arguments->selection);
  AddPosition(*command, "--from", arguments->selection.from, "Where to begin (default: latest)");
  AddCount(*command, "--count", arguments->count, "End after so many events (default: at Ctrl-C)");
  command->add_flag("--original", arguments->original, "Print each event in the JSON of the original project, one a line");
  command->footer(R"(Examples:
  pvebus watch
  pvebus watch --type container_started,custom --from -15m
  pvebus watch --count 1 --output json

`pvebus events` shows what the journal holds and ends there; with --follow it goes on like this.)");
  command->callback([arguments, &action] {
    action = [arguments](const GlobalOptions& global, Console& console) { return Watch(*arguments, global, console); };
  });
}

}  // namespace pvebus::cli
