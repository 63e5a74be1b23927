#include "cli/hook_history_output.h"

#include <string>

#include "cli/duration.h"
#include "cli/hook_output.h"
#include "cli/result_output.h"
#include "cli/table.h"

namespace pvebus::cli {
namespace {

void PrintOrSay(const char* nothing, const Table& table, std::ostream& out) {
  if (table.empty()) {
    out << nothing << '\n';
  } else {
    table.Print(out);
  }
}

std::string DurationOr(bool present, const google::protobuf::Duration& duration, const char* otherwise) {
  return present ? FormatDuration(duration) : otherwise;
}

std::vector<std::string> RowOf(const bus::v1::HookExecution& execution) {
  // What has a column of its own is left out of the detail.
  bus::v1::HookResult detail = execution.result();
  detail.clear_exit_code();
  if (detail.resource() == execution.resource()) detail.clear_resource();
  const bus::v1::HookResult& result = execution.result();
  return {FormatTime(execution.start_time()),
          execution.resource(),
          result.hook(),
          ShortName(HookState_Name(result.state())),
          execution.attempt() > 0 ? std::to_string(execution.attempt()) : "-",
          DurationOr(result.has_duration(), result.duration(), "-"),
          result.has_exit_code() ? std::to_string(result.exit_code()) : "",
          FormatHookDetail(detail)};
}

}  // namespace

void PrintHooks(const google::protobuf::RepeatedPtrField<bus::v1::Hook>& hooks, std::ostream& out) {
  Table table({"HOOK", "TIME LIMIT", "DESCRIPTION"});
  for (const bus::v1::Hook& hook : hooks) {
    table.Add({hook.name(), DurationOr(hook.has_time_limit(), hook.time_limit(), "none"), hook.description()});
  }
  PrintOrSay("no hooks", table, out);
}

void PrintHookExecutions(const google::protobuf::RepeatedPtrField<bus::v1::HookExecution>& executions, std::ostream& out) {
  Table table({"TIME", "RESOURCE", "HOOK", "RESULT", "ATTEMPT", "DURATION", "EXIT", "DETAIL"});
  for (const bus::v1::HookExecution& execution : executions) table.Add(RowOf(execution));
  PrintOrSay("no executions", table, out);
}

void PrintHookStatistics(const google::protobuf::RepeatedPtrField<bus::v1::HookStatistics>& statistics, std::ostream& out) {
  Table table({"HOOK", "RUNS", "SUCCEEDED", "FAILED", "SKIPPED", "SHORTEST", "MEAN", "LONGEST"});
  for (const bus::v1::HookStatistics& hook : statistics) {
    table.Add({hook.hook(), std::to_string(hook.total_count()), std::to_string(hook.succeeded_count()),
               std::to_string(hook.failed_count()), std::to_string(hook.skipped_count()),
               DurationOr(hook.has_min_duration(), hook.min_duration(), "-"),
               DurationOr(hook.has_average_duration(), hook.average_duration(), "-"),
               DurationOr(hook.has_max_duration(), hook.max_duration(), "-")});
  }
  PrintOrSay("no hooks", table, out);
}

}  // namespace pvebus::cli
