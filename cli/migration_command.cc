#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include "absl/strings/str_join.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/error_output.h"
#include "cli/migration_output.h"
#include "cli/options.h"
#include "cli/proto_json.h"
#include "cli/result_output.h"
#include "cli/service_option.h"
#include "pvebus/migration/v1/migration_service.grpc.pb.h"
#include "sdk/client/proto_time.h"
#include "sdk/events/names.h"

namespace pvebus::cli {
namespace {

using migration::v1::MigrationService;
using Stub = MigrationService::Stub;

// The bus waits 10 s for listeners, and the gates for the bus.
constexpr std::chrono::seconds kSetTimeout{30};
constexpr uint64_t kDefaultCount = 20;

int ShowStatus(const GlobalOptions& global, Console& console) {
  const auto status =
      Ask<MigrationService>(&Stub::GetMigrationStatus, migration::v1::GetMigrationStatusRequest(), global, console);
  if (!status.ok()) return PrintRefusal(status.status(), global, console);
  Show(*status, console, [&](std::ostream& out) { PrintMigrationStatus(*status, out); });
  return status->route_map().state() == migration::v1::ROUTE_MAP_STATE_FAILED ? kListenerFailed : kAllSucceeded;
}

int Set(const migration::v1::SetPhaseRequest& request, GlobalOptions global, Console& console) {
  global.timeout = global.TimeoutOr(kSetTimeout);
  const auto response = Ask<MigrationService>(&Stub::SetPhase, request, global, console);
  if (!response.ok()) return PrintRefusal(response.status(), global, console);
  Show(*response, console, [&](std::ostream& out) { PrintSetPhase(*response, out); });
  return response->has_result() ? ExitCodeOf(response->result()) : kAllSucceeded;
}

int Resolve(const migration::v1::ResolveEndpointRequest& request, const GlobalOptions& global, Console& console) {
  const auto route = Ask<MigrationService>(&Stub::ResolveEndpoint, request, global, console);
  if (!route.ok()) return PrintRefusal(route.status(), global, console);
  Show(*route, console, [&](std::ostream& out) { PrintRoute(*route, out); });
  return kAllSucceeded;
}

int ShowHistory(uint64_t count, const GlobalOptions& global, Console& console) {
  migration::v1::ListPhaseHistoryResponse all;
  migration::v1::ListPhaseHistoryRequest request;
  request.set_page_size(static_cast<int32_t>(std::min<uint64_t>(count, kPageSize)));
  const absl::Status status = ForEachPage<MigrationService>(&Stub::ListPhaseHistory, request, global, [&](auto& page) {
    all.MergeFrom(page);
    return static_cast<uint64_t>(all.changes_size()) < count;
  });
  if (!status.ok()) return PrintRefusal(status, global, console);
  while (static_cast<uint64_t>(all.changes_size()) > count) all.mutable_changes()->RemoveLast();
  all.clear_next_page_token();
  Show(all, console, [&](std::ostream& out) { PrintPhaseHistory(all.changes(), out); });
  return kAllSucceeded;
}

int ShowOutcomes(const GlobalOptions& global, Console& console) {
  const auto outcomes = Ask<MigrationService>(&Stub::ListOutcomes, migration::v1::ListOutcomesRequest(), global, console);
  if (!outcomes.ok()) return PrintRefusal(outcomes.status(), global, console);
  Show(*outcomes, console, [&](std::ostream& out) { PrintOutcomes(*outcomes, out); });
  return kAllSucceeded;
}

int Report(const migration::v1::ReportOutcomeRequest& request, const GlobalOptions& global, Console& console) {
  const auto response = Ask<MigrationService>(&Stub::ReportOutcome, request, global, console);
  if (!response.ok()) return PrintRefusal(response.status(), global, console);
  Show(*response, console, [&](std::ostream& out) {
    out << "counted: " << response->reported_count() << " calls of the new implementation in this phase, "
        << response->failed_count() << " failed\n";
  });
  return kAllSucceeded;
}

void AddStatusCommand(CLI::App& migration, const AskService& ask) {
  CLI::App* command = migration.add_subcommand("status", "The phase in force, what was counted in it, whether it may go forward");
  command->footer(R"(Examples:
  pvebus migration status
  pvebus migration status --output json | jq '.gates[] | select(.state == "GATE_STATE_CLOSED") | .message'

Exit status: 0 shown, 1 the route map is not what the phase asks for, 2 wrong usage, 3 migration-service is unreachable or refused.)");
  command->callback([ask] { ask(ShowStatus); });
}

void AddSetCommand(CLI::App& migration, const AskService& ask) {
  struct Arguments {
    migration::v1::SetPhaseRequest request;
    std::string phase;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = migration.add_subcommand("set", "Move to a phase: one step forward, or back to any");
  command->add_option("PHASE", arguments->phase, absl::StrJoin(events::MigrationPhaseNames(), ", "))->required();
  command->add_option("--reason", *arguments->request.mutable_reason(), "Why, for the history")->type_name("TEXT");
  command->add_flag_callback(
      "--force", [arguments] { arguments->request.set_force(true); },
      "Further than one step forward, or through closed gates; asks for --reason");
  command->add_option("--etag", *arguments->request.mutable_etag(), "Only if the phase is what `status` showed")
      ->type_name("ETAG");
  command
      ->add_option("--request-id", *arguments->request.mutable_request_id(), "Do it at most once, however often this is repeated")
      ->type_name("ID");
  command->add_flag_callback(
      "--dry-run", [arguments] { arguments->request.set_validate_only(true); }, "Only check");
  command->footer(R"(Examples:
  pvebus migration set rust-read-only --dry-run
  pvebus migration set rust-read-only --reason "GETs look good in the lab"
  pvebus migration set perl-only                                  # back at once
  pvebus migration set rust-full --force --reason "a new node"

MigrationPhaseChanged is published, and takes effect when it comes back through the bus: what every listener did is shown.

Exit status: 0 it is in force and all listeners succeeded (or it was, or with --dry-run could be), 1 it is in force, but a listener
failed or is pending, 2 wrong usage, 3 refused (the phase stays), or migration-service or the bus is unreachable.)");
  command->callback([arguments, ask] {
    const auto phase = events::ParseMigrationPhase(arguments->phase);
    if (!phase.ok()) throw CLI::ValidationError("PHASE", std::string(phase.status().message()));
    arguments->request.set_phase(*phase);
    ask([arguments](const GlobalOptions& global, Console& console) { return Set(arguments->request, global, console); });
  });
}

void AddResolveCommand(CLI::App& migration, const AskService& ask) {
  auto request = std::make_shared<migration::v1::ResolveEndpointRequest>();
  CLI::App* command = migration.add_subcommand("resolve", "Who answers a call of the API in the phase in force");
  command->add_option("METHOD", *request->mutable_method(), "GET, PUT, ...")->required();
  command->add_option("PATH", *request->mutable_path(), "/api2/json/nodes/pve1/network, or without the prefix")->required();
  command->footer(R"(Examples:
  pvebus migration resolve GET nodes/pve1/network
  pvebus migration resolve PUT /api2/json/cluster/sdn --output json | jq -r .implementation

fallback: `allowed` is a read, which may be asked of the other implementation when the one does not answer; `if-not-sent` is a
write, which may only when no connection came about, as it may have been executed.

Exit status: 0 shown, 2 wrong usage, 3 no such call can be, or migration-service is unreachable.)");
  command->callback([request, ask] {
    ask([request](const GlobalOptions& global, Console& console) { return Resolve(*request, global, console); });
  });
}

void AddHistoryCommand(CLI::App& migration, const AskService& ask) {
  auto count = std::make_shared<uint64_t>(kDefaultCount);
  CLI::App* command = migration.add_subcommand("history", "How the phase changed: when, by whom, why, by which event");
  AddCount(*command, "--count", *count, "At most so many, the newest (default 20)");
  command->footer(R"(Examples:
  pvebus migration history
  pvebus migration history --count 1000 --output json | jq '.changes[] | select(.automatic)'

TRANSACTIONS: network transactions that were applied in the phase before.

Exit status: 0 listed, 2 wrong usage, 3 migration-service is unreachable or refused.)");
  command->callback([count, ask] {
    ask([count](const GlobalOptions& global, Console& console) { return ShowHistory(*count, global, console); });
  });
}

void AddReportCommand(CLI::App& migration, const AskService& ask) {
  struct Arguments {
    migration::v1::ReportOutcomeRequest request;
    std::optional<size_t> implementation;
    std::optional<size_t> result;
    std::optional<std::chrono::milliseconds> latency;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = migration.add_subcommand("report", "How calls ended, per endpoint; or tell how one did");
  CLI::Option* method = command->add_option("METHOD", *arguments->request.mutable_method(), "Tell of a call: GET, PUT, ...");
  CLI::Option* path = command->add_option("PATH", *arguments->request.mutable_path(), "Which");
  CLI::Option* by = AddChoice(*command, "--by", arguments->implementation, {"perl", "rust"}, "Who answered it");
  CLI::Option* result =
      AddChoice(*command, "--result", arguments->result, {"succeeded", "refused", "failed", "timed-out"}, "How it ended");
  CLI::Option* latency = AddDuration(*command, "--latency", arguments->latency, "How long it took");
  method->needs(path)->needs(by)->needs(result);
  by->needs(method);
  result->needs(method);
  latency->needs(method);
  command->footer(R"(Examples:
  pvebus migration report                                                   # what was reported since the phase changed
  pvebus migration report GET nodes/pve1/network --by rust --result succeeded --latency 20ms
  pvebus migration report PUT nodes/pve1/network --by rust --result failed

`refused` (4xx) is the caller's fault and no failure. Failures of the new implementation count for the gate failure-share, and with
--step-back-share of migration-service too many of them take the phase one step back.

Exit status: 0 shown or counted, 2 wrong usage, 3 migration-service is unreachable or refused.)");
  command->callback([arguments, ask] {
    if (!arguments->implementation) {
      ask(ShowOutcomes);
      return;
    }
    arguments->request.set_implementation(static_cast<migration::v1::Implementation>(*arguments->implementation + 1));
    arguments->request.set_result(static_cast<migration::v1::CallResult>(arguments->result.value_or(0) + 1));
    if (arguments->latency) *arguments->request.mutable_latency() = client::ToProto(Duration(*arguments->latency));
    ask([arguments](const GlobalOptions& global, Console& console) { return Report(arguments->request, global, console); });
  });
}

}  // namespace

void AddMigrationCommand(CLI::App& root, Action& action) {
  CLI::App* command =
      root.add_subcommand("migration", "The move of the node's network API to its new implementation: phase, routes, history");
  command->require_subcommand(1);
  const AskService ask = AddServiceOption(*command, "migration", "127.0.0.1:7404", action);
  AddStatusCommand(*command, ask);
  AddSetCommand(*command, ask);
  AddResolveCommand(*command, ask);
  AddHistoryCommand(*command, ask);
  AddReportCommand(*command, ask);
  command->footer(R"(Examples:
  pvebus migration status
  pvebus migration set rust-read-only --reason "first step"
  pvebus migration resolve PUT nodes/pve1/network/vmbr0
  pvebus migration history

They ask migration-service (not the bus), and find it with --migration, which may stand anywhere behind `migration`.)");
}

}  // namespace pvebus::cli
