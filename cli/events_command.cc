#include <atomic>

#include "absl/strings/str_format.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/error_output.h"
#include "cli/event_output.h"
#include "cli/event_selection.h"
#include "cli/event_stream.h"
#include "cli/options.h"
#include "pvebus/bus/v1/journal_service.grpc.pb.h"
#include "sdk/service/stop_signal.h"

namespace pvebus::cli {
namespace {

using bus::v1::JournalService;

struct EventsArguments {
  EventSelection selection;
  uint64_t limit = 0;  // 0 is none
  bool follow = false;
  bool original = false;
};

// One run of `pvebus events`. One thread; Ctrl-C comes from another.
class EventsRun {
 public:
  EventsRun(const EventsArguments& arguments, const GlobalOptions& global, Console& console)
      : arguments_(arguments), global_(global), console_(console), layout_(LayoutFor(arguments.original, console)) {}

  int Run() {
    service::BlockStopSignals();
    const service::StopSignalThread stop([this](const std::string&) {
      stopped_ = true;
      following_.TryCancel();
    });
    absl::Status status = List();
    if (status.ok() && arguments_.follow && !Enough()) status = Follow();
    if (!status.ok()) return Refused(status);
    if (more_ && !console_.json()) {
      console_.err << absl::StrFormat("pvebus: ended by --limit; there may be more: --from %d\n", next_sequence_);
    }
    return kAllSucceeded;
  }

 private:
  bool Enough() const { return stopped_ || !console_.out.good() || (arguments_.limit > 0 && printed_ == arguments_.limit); }

  void Print(const event::v1::SystemEvent& event) {
    PrintEventLine(event, layout_, console_.out);
    ++printed_;
    next_sequence_ = event.sequence() + 1;
  }

  absl::Status List() {
    auto request = arguments_.selection.ToRequest<bus::v1::ListEventsRequest>();
    const auto end = arguments_.selection.EndSequence(global_);
    if (!end.ok()) return end.status();
    if (!*end) return absl::OkStatus();
    request.set_end_sequence(**end);
    const uint64_t page_size = arguments_.limit > 0 ? std::min<uint64_t>(arguments_.limit, kPageSize) : kPageSize;
    request.set_page_size(static_cast<int32_t>(page_size));
    return ForEachPage<JournalService>(&JournalService::Stub::ListEvents, request, global_, [this](auto& page) {
      auto lost = page.lost().begin();
      const auto print_lost_before = [&](uint64_t sequence) {
        for (; lost != page.lost().end() && lost->first_sequence() < sequence; ++lost) PrintLost(*lost, console_);
      };
      for (const event::v1::SystemEvent& event : page.events()) {
        if (Enough()) break;
        print_lost_before(event.sequence());
        Print(event);
      }
      const bool enough = Enough();
      if (!enough) print_lost_before(UINT64_MAX);
      if (enough) more_ = arguments_.limit > 0 && !page.next_page_token().empty();
      if (!enough) next_sequence_ = page.next_sequence();
      return !enough;
    });
  }

  absl::Status Follow() {
    auto request = arguments_.selection.ToRequest<bus::v1::WatchEventsRequest>();
    request.mutable_start_position()->set_sequence(next_sequence_);
    if (arguments_.limit > 0) request.set_max_events(arguments_.limit - printed_);
    return StreamEvents(client::Connect(global_.server.address), request, following_,
                        [this](const bus::v1::WatchEventsResponse& next) {
                          for (const bus::v1::LostEvents& lost : next.lost()) PrintLost(lost, console_);
                          Print(next.event());
                          return !Enough();
                        });
  }

  int Refused(const absl::Status& status) {
    PrintRefusal(status, global_, console_);
    if (next_sequence_ > 0 && !console_.json()) {
      console_.err << absl::StrFormat("  to go on without a gap: --from %d\n", next_sequence_);
    }
    return kRefused;
  }

  const EventsArguments& arguments_;
  const GlobalOptions& global_;
  Console& console_;
  const EventLayout layout_;
  uint64_t printed_ = 0;
  uint64_t next_sequence_ = 0;  // of the first event that was not looked at
  bool more_ = false;
  std::atomic<bool> stopped_ = false;
  grpc::ClientContext following_;
};

}  // namespace

void AddEventsCommand(CLI::App& root, Action& action) {
  auto arguments = std::make_shared<EventsArguments>();
  CLI::App* command = root.add_subcommand("events", "Show what the journal holds, oldest first");
  AddEventFilters(*command, arguments->selection);
  AddPosition(*command, "--from", arguments->selection.from, "Where to begin (default: earliest)");
  auto* to = AddEnd(*command, "--to", arguments->selection.until,
                    "Where to end: the last sequence, or what was published before a time (default: the newest)");
  AddCount(*command, "--limit", arguments->limit, "End after so many events (default: all)");
  command->add_flag("--follow", arguments->follow, "Go on with what is published from now on, without a gap")->excludes(to);
  command->add_flag("--original", arguments->original, "Print each event in the JSON of the original project, one a line");
  command->footer(R"(Examples:
  pvebus events --from -15m
  pvebus events --from '2026-11-23 12:00' --to '2026-11-23 13:00' --type network_applied
  pvebus events --filter 'subject = "container/101" AND source = "pve*"' --limit 20
  pvebus events --from 4711 --follow
  pvebus events --output json | jq -r .event_id      # a document per line

`pvebus event ID` shows what became of one of them, `pvebus trace ID` what it led to.)");
  command->callback([arguments, &action] {
    CheckDirection(arguments->selection, "--to");
    action = [arguments](const GlobalOptions& global, Console& console) { return EventsRun(*arguments, global, console).Run(); };
  });
}

}  // namespace pvebus::cli
