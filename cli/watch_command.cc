#include "cli/bus_connection.h"
#include "cli/commands.h"
#include "cli/error_output.h"
#include "cli/event_output.h"
#include "cli/options.h"
#include "cli/proto_json.h"
#include "pvebus/bus/v1/journal_service.grpc.pb.h"
#include "sdk/client/channel.h"
#include "sdk/events/event_json.h"
#include "sdk/service/stop_signal.h"

namespace pvebus::cli {
namespace {

using bus::v1::JournalService;

struct WatchArguments {
  std::string filter;
  std::vector<event::v1::EventType> types;
  std::optional<bus::v1::StartPosition> from;
  uint64_t count = 0;
  bool original = false;
};

int Watch(const WatchArguments& arguments, const GlobalOptions& global, Console& console) {
  service::BlockStopSignals();
  const auto channel = client::Connect(global.bus);
  if (const absl::Status status = CheckReachable(channel, global.TimeoutOr(kDefaultTimeout)); !status.ok()) {
    return PrintRefusal(status, global, console);
  }
  bus::v1::WatchEventsRequest request;
  request.set_filter(arguments.filter);
  request.set_max_events(arguments.count);
  for (const event::v1::EventType type : arguments.types) request.add_event_types(type);
  if (arguments.from) *request.mutable_start_position() = *arguments.from;

  grpc::ClientContext context;
  const service::StopSignalThread stop([&context](const std::string&) { context.TryCancel(); });
  const auto stub = JournalService::NewStub(channel);
  const auto stream = stub->WatchEvents(&context, request);
  bus::v1::WatchEventsResponse response;
  while (stream->Read(&response)) {
    console.out << (arguments.original ? events::EventToJson(response.event()) + "\n"
                    : console.json()   ? ToJson(response.event(), JsonLayout::kOneLine)
                                       : FormatEvent(response.event()) + "\n")
                << std::flush;
  }
  const absl::Status status = FromGrpcStatus(stream->Finish());
  // Cancelled is what Ctrl-C does.
  if (status.ok() || status.code() == absl::StatusCode::kCancelled) return kAllSucceeded;
  return PrintRefusal(status, global, console);
}

}  // namespace

void AddWatchCommand(CLI::App& root, Action& action) {
  auto arguments = std::make_shared<WatchArguments>();
  CLI::App* command = root.add_subcommand("watch", "Show events as they pass, without being a listener");
  command->add_option("--filter", arguments->filter, "Only those, for example 'event_type = custom AND source = \"pve*\"'");
  AddEventTypes(*command, arguments->types);
  AddPosition(*command, "--from", arguments->from, "Where to begin (default: latest)");
  command->add_option("--count", arguments->count, "End after so many events (default: at Ctrl-C)")->type_name("N");
  command->add_flag("--original", arguments->original, "Print each event in the JSON of the original project, one a line");
  command->footer(R"(Examples:
  pvebus watch
  pvebus watch --types container_started,custom --from earliest
  pvebus watch --count 1 --output json)");
  command->callback([arguments, &action] {
    action = [arguments](const GlobalOptions& global, Console& console) { return Watch(*arguments, global, console); };
  });
}

}  // namespace pvebus::cli
