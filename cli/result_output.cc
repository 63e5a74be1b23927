#include "cli/result_output.h"

#include <chrono>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/duration.h"
#include "cli/table.h"
#include "sdk/client/proto_time.h"

namespace pvebus::cli {
namespace {

std::string OutcomeInWords(const bus::v1::PublishResult& result) {
  if (result.outcome() == bus::v1::PUBLISH_OUTCOME_NO_LISTENERS) return "the event is stored; no listener wants it";
  std::string words = absl::StrFormat("%d of %d listeners succeeded", result.succeeded_count(), result.matched_count());
  if (result.failed_count() > 0) absl::StrAppendFormat(&words, ", %d failed", result.failed_count());
  if (result.pending_count() > 0) absl::StrAppendFormat(&words, ", %d pending", result.pending_count());
  return words;
}

std::string NextAttempt(const bus::v1::ListenerResult& row) {
  if (!row.has_next_attempt_time()) return "";
  const auto wait = client::FromProto(row.next_attempt_time()) - std::chrono::system_clock::now();
  if (wait <= std::chrono::nanoseconds(0)) return "now";
  return "in " + FormatDuration(wait);
}

void PrintEvent(const bus::v1::PublishResult& result, std::ostream& out) {
  out << absl::StrFormat("event    %s\n", Printable(result.event_id()));
  if (result.sequence() > 0) {
    out << absl::StrFormat("stored   sequence %d, %s\n", result.sequence(), FormatTime(result.publish_time()));
  } else {
    out << "stored   no, only validated\n";
  }
}

void AddRows(const bus::v1::ListenerResult& row, ProgramOutput output, Table& table) {
  table.Add({row.listener() + (row.required() ? " (required)" : ""), ShortName(DeliveryState_Name(row.state())),
             row.attempt() > 0 ? std::to_string(row.attempt()) : "-", row.has_latency() ? FormatDuration(row.latency()) : "-",
             NextAttempt(row), row.has_error() ? FormatError(row.error()) : ""});
  for (const HookLine& line : LinesOf(row.hook_results(), output)) {
    table.Add({"  " + line.name, line.state, "", line.duration, "", line.text});
    AddOutput(line, table);
  }
}

}  // namespace

std::string ShortName(const std::string& enum_value_name) {
  for (const char* prefix :
       {"DELIVERY_STATE_", "HOOK_STATE_", "PUBLISH_OUTCOME_", "LISTENER_STATE_", "EVENT_TYPE_", "JOURNAL_KIND_", "STORAGE_STATE_",
        "REACHABILITY_", "CHANGE_TYPE_", "APPLY_STATE_", "APPLY_SOURCE_", "APPLY_STEP_"}) {
    if (enum_value_name.starts_with(prefix)) return enum_value_name.substr(std::string_view(prefix).size());
  }
  return enum_value_name;
}

std::string FormatError(const bus::v1::ListenerError& error) {
  std::string text = absl::StatusCodeToString(static_cast<absl::StatusCode>(error.code()));
  if (!error.reason().empty()) absl::StrAppendFormat(&text, " %s", error.reason());
  if (!error.message().empty()) absl::StrAppendFormat(&text, ": %s", error.message());
  return text;
}

std::string FormatOutcome(const bus::v1::PublishResult& result) {
  return absl::StrFormat("%s: %s", ShortName(PublishOutcome_Name(result.outcome())), OutcomeInWords(result));
}

void PrintListenerResults(const bus::v1::PublishResult& result, ProgramOutput output, std::ostream& out) {
  Table table({"LISTENER", "STATE", "ATTEMPT", "LATENCY", "NEXT ATTEMPT", "DETAIL"});
  for (const bus::v1::ListenerResult& row : result.listener_results()) AddRows(row, output, table);
  if (table.empty()) return;
  out << '\n';
  table.Print(out);
}

void PrintResult(const bus::v1::PublishResult& result, std::ostream& out) {
  PrintEvent(result, out);
  out << absl::StrFormat("outcome  %s\n", FormatOutcome(result));
  PrintListenerResults(result, ProgramOutput::kLastLine, out);
}

void PrintReceivers(const bus::v1::PublishResult& result, std::ostream& out) {
  PrintEvent(result, out);
  std::vector<std::string> names;
  for (const bus::v1::ListenerResult& row : result.listener_results()) names.push_back(Printable(row.listener()));
  out << absl::StrFormat("for      %s\n", names.empty() ? "nobody: no listener wants it" : absl::StrJoin(names, ", "));
}

ExitCode ExitCodeOf(const bus::v1::PublishResult& result) {
  const bool good =
      result.outcome() == bus::v1::PUBLISH_OUTCOME_SUCCEEDED || result.outcome() == bus::v1::PUBLISH_OUTCOME_NO_LISTENERS;
  return good ? kAllSucceeded : kListenerFailed;
}

ExitCode ExitCodeOfDurable(const bus::v1::PublishResult& result) {
  return result.failed_count() == 0 ? kAllSucceeded : kListenerFailed;
}

}  // namespace pvebus::cli
