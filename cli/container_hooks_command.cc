#include <memory>

#include "absl/strings/str_format.h"
#include "cli/connection.h"
#include "cli/container_commands.h"
#include "cli/error_output.h"
#include "cli/hook_history_output.h"
#include "cli/proto_json.h"
#include "pvebus/container/v1/container_service.grpc.pb.h"

namespace pvebus::cli {
namespace {

using container::v1::ContainerService;
using Stub = ContainerService::Stub;

// Asks, and shows the answer with `print(answer, out)`.
template <typename Method, typename Request, typename Print>
int AskAndShow(Method method, const Request& request, Print print, const GlobalOptions& global, Console& console) {
  const auto response = Ask<ContainerService>(method, request, global, console);
  if (!response.ok()) return PrintRefusal(response.status(), global, console);
  Show(*response, console, [&](std::ostream& out) { print(*response, out); });
  return kAllSucceeded;
}

int ListHooks(const GlobalOptions& global, Console& console) {
  const auto print = [](const container::v1::ListHooksResponse& response, std::ostream& out) {
    PrintHooks(response.hooks(), out);
  };
  return AskAndShow(&Stub::ListHooks, container::v1::ListHooksRequest(), print, global, console);
}

int ShowStatistics(const container::v1::GetHookStatisticsRequest& request, const GlobalOptions& global, Console& console) {
  const auto print = [](const container::v1::GetHookStatisticsResponse& response, std::ostream& out) {
    PrintHookStatistics(response.statistics(), out);
  };
  return AskAndShow(&Stub::GetHookStatistics, request, print, global, console);
}

int Clear(const GlobalOptions& global, Console& console) {
  const auto print = [](const container::v1::ClearHookExecutionsResponse& response, std::ostream& out) {
    const uint64_t count = response.cleared_count();
    out << absl::StrFormat("cleared %d %s; the statistics stay\n", count, count == 1 ? "execution" : "executions");
  };
  return AskAndShow(&Stub::ClearHookExecutions, container::v1::ClearHookExecutionsRequest(), print, global, console);
}

}  // namespace

void AddContainerHooksCommand(CLI::App& container, const AskService& ask) {
  CLI::App* command = container.add_subcommand("hooks", "What is run for events, in its order");
  command->footer(R"(Examples:
  pvebus container hooks
  pvebus container hooks --output json | jq -r '.hooks[].name'

A hook that takes longer than its TIME LIMIT has failed.

Exit status: 0 listed, 2 wrong usage, 3 container-service is unreachable or refused.)");
  command->callback([ask] { ask(ListHooks); });
}

void AddContainerStatsCommand(CLI::App& container, const AskService& ask) {
  auto request = std::make_shared<container::v1::GetHookStatisticsRequest>();
  CLI::App* command = container.add_subcommand("stats", "How often each hook ran and failed, and how long it took");
  command->add_option("--hook", *request->mutable_hook(), "Only of this one (default: all)");
  command->footer(R"(Examples:
  pvebus container stats
  pvebus container stats --output json | jq '.statistics[] | select(.failed_count != "0")'

Counted since the data directory of container-service was made: neither its restart nor `pvebus container clear` changes them.

Exit status: 0 shown, 2 wrong usage, 3 container-service is unreachable or refused.)");
  command->callback([ask, request] {
    ask([request](const GlobalOptions& global, Console& console) { return ShowStatistics(*request, global, console); });
  });
}

void AddContainerClearCommand(CLI::App& container, const AskService& ask) {
  CLI::App* command = container.add_subcommand("clear", "Forget what `pvebus container executions` lists");
  command->footer(R"(Example:
  pvebus container clear

The statistics stay, and what has succeeded for an event is not run again for it.

Exit status: 0 cleared, 2 wrong usage, 3 container-service is unreachable or refused.)");
  command->callback([ask] { ask(Clear); });
}

}  // namespace pvebus::cli
