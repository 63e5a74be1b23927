#include "cli/migration_output.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "cli/duration.h"
#include "cli/facts.h"
#include "cli/result_output.h"
#include "cli/table.h"
#include "sdk/events/names.h"

namespace pvebus::cli {
namespace {

using migration::v1::GateStatus;
using migration::v1::PhaseChange;

// "IMPLEMENTATION_RUST" -> "rust"
std::string Word(const std::string& enum_value_name, std::string_view prefix) {
  const std::string name = enum_value_name.starts_with(prefix) ? enum_value_name.substr(prefix.size()) : enum_value_name;
  return absl::StrReplaceAll(absl::AsciiStrToLower(name), {{"_", "-"}});
}

std::string ImplementationWord(migration::v1::Implementation implementation) {
  return Word(Implementation_Name(implementation), "IMPLEMENTATION_");
}

std::string How(const PhaseChange& change) {
  if (change.automatic()) return "automatic";
  return change.forced() ? "forced" : "";
}

std::string RouteMapLine(const migration::v1::RouteMapStatus& map) {
  if (map.state() == migration::v1::ROUTE_MAP_STATE_CURRENT) return map.path() + ": current";
  return absl::StrFormat("%s: FAILED: %s", map.path(), map.message());
}

std::string FailureLine(uint64_t reported, uint64_t failed) {
  if (reported == 0) return "none reported";
  return absl::StrFormat("%d reported, %d failed (%.1f %%)", reported, failed,
                         100 * static_cast<double>(failed) / static_cast<double>(reported));
}

}  // namespace

std::string PhaseWord(event::v1::MigrationPhase phase) { return std::string(events::MigrationPhaseName(phase)); }

void PrintMigrationStatus(const migration::v1::GetMigrationStatusResponse& status, std::ostream& out) {
  const Facts facts(out);
  facts.Add("phase", PhaseWord(status.phase()));
  if (status.has_last_change()) {
    facts.Add("since", FormatTime(status.last_change().change_time()));
    facts.Add("by", status.last_change().requested_by());
    facts.Add("reason", status.last_change().reason());
  }
  facts.Add("transactions", absl::StrFormat("%d in this phase, %d in all", status.phase_applied_transaction_count(),
                                            status.applied_transaction_count()));
  facts.Add("new calls", FailureLine(status.reported_count(), status.failed_count()));
  if (status.has_route_map()) facts.Add("route map", RouteMapLine(status.route_map()));
  if (status.next_phase() != event::v1::MIGRATION_PHASE_UNSPECIFIED) facts.Add("next", PhaseWord(status.next_phase()));
  facts.Add("etag", status.etag());
  PrintGates(status.gates(), out);
}

void PrintGates(const google::protobuf::RepeatedPtrField<GateStatus>& gates, std::ostream& out) {
  if (gates.empty()) return;
  Table table({"GATE", "STATE", "DETAIL"});
  for (const GateStatus& gate : gates) {
    table.Add({gate.gate(), gate.state() == migration::v1::GATE_STATE_OPEN ? "OPEN" : "CLOSED", gate.message()});
  }
  out << '\n';
  table.Print(out);
}

void PrintSetPhase(const migration::v1::SetPhaseResponse& response, std::ostream& out) {
  switch (response.outcome()) {
    case migration::v1::SET_PHASE_OUTCOME_UNCHANGED:
      out << "unchanged: this phase was in force already\n";
      break;
    case migration::v1::SET_PHASE_OUTCOME_DRY_RUN:
      out << "dry run: the phase could become this one\n";
      break;
    default:
      out << absl::StrFormat("phase %s -> %s\n", PhaseWord(response.change().from_phase()),
                             PhaseWord(response.change().to_phase()));
  }
  PrintGates(response.gates(), out);
  if (!response.has_result()) return;
  out << '\n';
  PrintResult(response.result(), out);
}

void PrintRoute(const migration::v1::ResolveEndpointResponse& route, std::ostream& out) {
  const Facts facts(out);
  facts.Add("answers", ImplementationWord(route.implementation()));
  facts.Add("rule", route.rule());
  facts.Add("path", route.path());
  facts.Add("fallback", Word(FallbackPolicy_Name(route.fallback()), "FALLBACK_POLICY_"));
  facts.Add("timeout", FormatDuration(route.timeout()));
  facts.Add("phase", PhaseWord(route.phase()));
}

void PrintPhaseHistory(const google::protobuf::RepeatedPtrField<PhaseChange>& changes, std::ostream& out) {
  if (changes.empty()) {
    out << "the phase has never changed: it is perl-only\n";
    return;
  }
  Table table({"#", "TIME", "FROM", "TO", "HOW", "BY", "TRANSACTIONS", "REASON", "EVENT"});
  for (const PhaseChange& change : changes) {
    table.Add({std::to_string(change.number()), FormatTime(change.change_time()), PhaseWord(change.from_phase()),
               PhaseWord(change.to_phase()), How(change), Cell(change.requested_by()),
               std::to_string(change.applied_transaction_count()), Cell(change.reason()), change.event_id()});
  }
  table.Print(out);
}

void PrintOutcomes(const migration::v1::ListOutcomesResponse& outcomes, std::ostream& out) {
  if (outcomes.endpoints().empty()) {
    out << "nothing was reported since the phase changed\n";
    return;
  }
  Table table({"METHOD", "PATH", "ANSWERED BY", "CALLS", "FAILED", "MEAN", "LONGEST"});
  for (const migration::v1::EndpointOutcomes& endpoint : outcomes.endpoints()) {
    table.Add({endpoint.method(), Cell(endpoint.path()), ImplementationWord(endpoint.implementation()),
               std::to_string(endpoint.reported_count()), std::to_string(endpoint.failed_count()),
               FormatDuration(endpoint.mean_latency()), FormatDuration(endpoint.longest_latency())});
  }
  table.Print(out);
}

}  // namespace pvebus::cli
