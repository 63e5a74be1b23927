#include "cli/journal_output.h"

#include "absl/strings/str_format.h"
#include "cli/duration.h"
#include "cli/facts.h"
#include "cli/result_output.h"
#include "cli/table.h"

namespace pvebus::cli {
namespace {

constexpr int kMaxProblems = 100;  // more are not told

std::string InMiB(uint64_t bytes) { return absl::StrFormat("%.1f MiB", static_cast<double>(bytes) / (1 << 20)); }

std::string Fill(const bus::v1::GetJournalStatusResponse& status) {
  std::string fill = absl::StrFormat("%d, %s", status.event_count(), InMiB(status.event_bytes()));
  if (status.max_event_bytes() == 0) return fill;
  const double share = 100.0 * static_cast<double>(status.event_bytes()) / static_cast<double>(status.max_event_bytes());
  absl::StrAppendFormat(&fill, " of %s (%.0f%%)", InMiB(status.max_event_bytes()), share);
  return fill;
}

std::string Newest(const bus::v1::GetJournalStatusResponse& status) {
  if (status.last_sequence() == 0) return "none yet";
  std::string newest = absl::StrFormat("sequence %d", status.last_sequence());
  if (!status.durable()) return newest;
  const bool all = status.durable_sequence() >= status.last_sequence();
  return newest + (all ? "" : absl::StrFormat(", durable to %d", status.durable_sequence()));
}

std::string EventsOf(const bus::v1::JournalLoss& loss) {
  if (loss.first_sequence() == 0) return "";
  if (loss.last_sequence() <= loss.first_sequence()) return absl::StrFormat("#%d", loss.first_sequence());
  return absl::StrFormat("#%d..#%d", loss.first_sequence(), loss.last_sequence());
}

void PrintLosses(const google::protobuf::RepeatedPtrField<bus::v1::JournalLoss>& losses, std::ostream& out) {
  if (losses.empty()) return;
  out << "\naccepted losses\n";
  Table table({"ACCEPTED", "PART", "EVENTS", "LOST"});
  for (const bus::v1::JournalLoss& loss : losses) {
    table.Add({FormatTime(loss.accept_time()), loss.part(), EventsOf(loss), loss.message()});
  }
  table.Print(out);
  if (losses.size() >= kMaxProblems) out << absl::StrFormat("there may be more: only the newest %d are told\n", losses.size());
}

}  // namespace

void PrintProblems(const google::protobuf::RepeatedPtrField<bus::v1::JournalProblem>& problems, std::ostream& out) {
  if (problems.empty()) return;
  out << "\nDAMAGED\n";
  Table table({"PART", "SEQUENCE", "PROBLEM"});
  for (const bus::v1::JournalProblem& problem : problems) {
    table.Add({problem.part(), problem.sequence() > 0 ? std::to_string(problem.sequence()) : "", problem.message()});
  }
  table.Print(out);
  if (problems.size() >= kMaxProblems) out << absl::StrFormat("there may be more: only %d are told\n", problems.size());
  out << "\nnext: keep a copy of the bus's data directory as it is, and save what can be read:\n"
         "  pvebus events --output json > events.json\n"
         "  then restore a backup, or let the bus begin a new journal (bus-service/README.md)\n";
}

void PrintJournalStatus(const bus::v1::GetJournalStatusResponse& status, std::ostream& out) {
  const Facts facts(out);
  facts.Add("journal",
            absl::StrFormat("%s, %s%s", ShortName(JournalKind_Name(status.kind())), status.durable() ? "durable" : "NOT DURABLE",
                            status.read_only() ? ", READ ONLY: publishes are refused" : ""));
  facts.Add("events", Fill(status));
  if (status.first_sequence() > 0) {
    facts.Add("oldest", absl::StrFormat("sequence %d of %s", status.first_sequence(), FormatTime(status.first_event_time())));
  }
  facts.Add("newest", Newest(status));
  if (status.lost_deliveries() > 0) {
    facts.Add("GIVEN UP", absl::StrFormat("%d events before a listener had seen them, as it lagged too far behind: "
                                          "`pvebus listeners NAME` shows which",
                                          status.lost_deliveries()));
  }
  if (!status.durable() && status.warnings().empty()) {
    facts.Add("warning", "events are kept in memory only: all of them are lost when the bus ends");
  }
  for (const std::string& warning : status.warnings()) facts.Add("warning", warning);
  if (status.read_only() && status.problems().empty()) {
    facts.Add("next", "`pvebus journal verify` looks for what is damaged");
  }
  if (!status.losses().empty() && status.problems().empty() && !status.read_only()) {
    facts.Add("state", "whole; what was lost before is listed below, and an operator has accepted it");
  }
  PrintProblems(status.problems(), out);
  PrintLosses(status.losses(), out);
}

}  // namespace pvebus::cli
