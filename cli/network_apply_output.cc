#include "cli/network_apply_output.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "cli/duration.h"
#include "cli/facts.h"
#include "cli/network_output.h"
#include "cli/result_output.h"
#include "cli/table.h"

namespace pvebus::cli {
namespace {

using network::v1::Apply;
using network::v1::Publication;

std::string StateOf(const Apply& apply) {
  std::string state = ShortName(ApplyState_Name(apply.state()));
  if (apply.state() == network::v1::APPLY_STATE_AWAITING_CONFIRMATION) {
    absl::StrAppendFormat(&state, ": is undone at %s unless confirmed: pvebus network confirm",
                          FormatTimeOfDay(apply.confirm_expire_time()));
  }
  if (apply.step() != network::v1::APPLY_STEP_UNSPECIFIED) absl::StrAppendFormat(&state, ": %s", StepInWords(apply));
  return state;
}

std::string ReloadOf(const Apply& apply) {
  if (!apply.has_reload()) return "";
  const char* end = apply.reload().timed_out() ? "took too long" : nullptr;
  const std::string exit = absl::StrFormat("exit %d", apply.reload().exit_code());
  return absl::StrFormat("%s, %s", end != nullptr ? end : exit, FormatDuration(apply.reload().duration()));
}

std::string ErrorOf(const Apply& apply) {
  return apply.has_error() ? absl::StrFormat("%s: %s", apply.error().reason(), apply.error().message()) : "";
}

std::string OutcomeOf(const Publication& publication) {
  if (publication.state() == network::v1::PUBLICATION_STATE_OWED) return "OWED: the bus is away, and gets it when it is back";
  return publication.has_result() ? FormatOutcome(publication.result()) : "published";
}

void PrintPublication(const Publication& publication, std::ostream& out) {
  out << absl::StrFormat("\n%s: %s\n", Printable(publication.kind()), OutcomeOf(publication));
  if (!publication.has_result()) return;
  out << absl::StrFormat("event %s\n", Printable(publication.result().event_id()));
  PrintListenerResults(publication.result(), ProgramOutput::kLastLine, out);
}

std::string EventsOf(const Apply& apply) {
  std::string events;
  for (const Publication& publication : apply.publications()) {
    std::string outcome = "published";
    if (publication.state() == network::v1::PUBLICATION_STATE_OWED) outcome = "OWED";
    if (publication.has_result()) outcome = ShortName(PublishOutcome_Name(publication.result().outcome()));
    absl::StrAppendFormat(&events, "%s%s %s", events.empty() ? "" : ", ", publication.kind(), outcome);
  }
  return events;
}

}  // namespace

void PrintApply(const Apply& apply, std::ostream& out) {
  const Facts facts(out);
  facts.Add("apply", apply.apply_id());
  facts.Add("state", StateOf(apply));
  facts.Add("source", ShortName(ApplySource_Name(apply.source())));
  facts.Add("reverts", apply.reverts_apply_id());
  facts.Add("began", FormatTime(apply.create_time()));
  facts.Add("requested by", apply.requested_by());
  facts.Add("reason", apply.reason());
  facts.Add("ifreload", ReloadOf(apply));
  facts.Add("error", ErrorOf(apply));
  for (const std::string& warning : apply.warnings()) facts.Add("warning", warning);
  out << '\n';
  PrintChanges(apply.changes(), out);
  for (const Publication& publication : apply.publications()) PrintPublication(publication, out);
}

void PrintReloadOutput(const Apply& apply, std::ostream& out) {
  if (apply.reload().output().empty()) return;
  out << "\nifreload wrote:\n";
  for (size_t begin = 0; begin < apply.reload().output().size();) {
    const size_t end = std::min(apply.reload().output().find('\n', begin), apply.reload().output().size());
    out << "  " << Printable(apply.reload().output().substr(begin, end - begin)) << '\n';
    begin = end + 1;
  }
}

void PrintApplies(const ApplyList& applies, std::ostream& out) {
  if (applies.empty()) {
    out << "nothing was applied yet\n";
    return;
  }
  Table table({"APPLY", "BEGAN", "SOURCE", "STATE", "CHANGES", "IFRELOAD", "EVENTS", "REASON"});
  for (const Apply& apply : applies) {
    table.Add({apply.apply_id(), FormatTime(apply.create_time()), ShortName(ApplySource_Name(apply.source())),
               ShortName(ApplyState_Name(apply.state())), std::to_string(apply.change_count()), ReloadOf(apply), EventsOf(apply),
               Cell(apply.has_error() ? ErrorOf(apply) : apply.reason())});
  }
  table.Print(out);
}

void PrintChanges(const google::protobuf::RepeatedPtrField<event::v1::ConfigChange>& changes, std::ostream& out) {
  std::vector<ChangeLine> lines;
  for (const event::v1::ConfigChange& change : changes) {
    lines.push_back(
        {absl::AsciiStrToLower(ShortName(ChangeType_Name(change.change_type()))), change.target(), change.description()});
  }
  PrintChangeLines(lines, out);
}

void PrintDiagnostics(const google::protobuf::RepeatedPtrField<network::v1::Diagnostic>& diagnostics, std::ostream& out) {
  for (const network::v1::Diagnostic& diagnostic : diagnostics) {
    PrintDiagnosticLine(diagnostic.file(), diagnostic.line(), diagnostic.severity() == network::v1::SEVERITY_ERROR,
                        diagnostic.message(), out);
  }
}

std::string StepInWords(const Apply& apply) {
  switch (apply.step()) {
    case network::v1::APPLY_STEP_LOCKING:
      return "waiting for Proxmox VE's lock";
    case network::v1::APPLY_STEP_CHECKING:
      return "checking the configuration";
    case network::v1::APPLY_STEP_CHECKING_SYNTAX:
      return "ifupdown2 checks the syntax";
    case network::v1::APPLY_STEP_INSTALLING:
      return "replacing the file";
    case network::v1::APPLY_STEP_RELOADING:
      return "ifreload -a brings the network to it";
    case network::v1::APPLY_STEP_VERIFYING:
      return "comparing the kernel with the configuration";
    case network::v1::APPLY_STEP_UNDOING:
      return "undoing: the old file, ifreload -a";
    default:
      return "";
  }
}

ExitCode ExitCodeOf(const Apply& apply) {
  for (const Publication& publication : apply.publications()) {
    if (!publication.has_result() || ExitCodeOf(publication.result()) != kAllSucceeded) return kListenerFailed;
  }
  return kAllSucceeded;
}

}  // namespace pvebus::cli
