#include <algorithm>
#include <memory>
#include <optional>

#include "absl/strings/str_format.h"
#include "cli/connection.h"
#include "cli/container_commands.h"
#include "cli/error_output.h"
#include "cli/hook_history_output.h"
#include "cli/options.h"
#include "cli/proto_json.h"
#include "pvebus/container/v1/container_service.grpc.pb.h"
#include "sdk/client/proto_time.h"

namespace pvebus::cli {
namespace {

using container::v1::ContainerService;
using container::v1::ListHookExecutionsRequest;
using container::v1::ListHookExecutionsResponse;

constexpr bus::v1::HookState kStates[] = {bus::v1::HOOK_STATE_CHANGED, bus::v1::HOOK_STATE_UNCHANGED, bus::v1::HOOK_STATE_FAILED,
                                          bus::v1::HOOK_STATE_SKIPPED, bus::v1::HOOK_STATE_DRY_RUN};

struct ExecutionsArguments {
  ListHookExecutionsRequest request;
  std::optional<size_t> state;  // in kStates
  std::optional<google::protobuf::Timestamp> from;
  std::optional<google::protobuf::Timestamp> until;
  uint64_t limit = 100;

  ListHookExecutionsRequest Request() const {
    ListHookExecutionsRequest asked = request;
    if (state) asked.set_state(kStates[*state]);
    if (from) *asked.mutable_start_time() = *from;
    if (until) *asked.mutable_end_time() = *until;
    asked.set_page_size(static_cast<int32_t>(std::min<uint64_t>(limit, kPageSize)));
    return asked;
  }
  bool IsBackward() const { return from && until && client::FromProto(*until) <= client::FromProto(*from); }
};

int List(const ExecutionsArguments& arguments, const GlobalOptions& global, Console& console) {
  ListHookExecutionsResponse all;
  bool more = false;
  const absl::Status status = ForEachPage<ContainerService>(
      &ContainerService::Stub::ListHookExecutions, arguments.Request(), global, [&](ListHookExecutionsResponse& page) {
        all.MergeFrom(page);
        const auto count = static_cast<uint64_t>(all.executions_size());
        more = count > arguments.limit || (count == arguments.limit && !page.next_page_token().empty());
        return count < arguments.limit;
      });
  if (!status.ok()) return PrintRefusal(status, global, console);
  while (static_cast<uint64_t>(all.executions_size()) > arguments.limit) all.mutable_executions()->RemoveLast();
  all.clear_next_page_token();
  Show(all, console, [&](std::ostream& out) { PrintHookExecutions(all.executions(), out); });
  if (more && !console.json())
    console.err << absl::StrFormat("pvebus: ended by --limit %d; there are older ones\n", arguments.limit);
  return kAllSucceeded;
}

void AddFilters(CLI::App& command, ExecutionsArguments& arguments) {
  ListHookExecutionsRequest& request = arguments.request;
  CheckVmid(command.add_option_function<uint32_t>(
      "--vmid", [&request](uint32_t id) { request.set_container_id(id); }, "Only for this container (default: all)"));
  command.add_option("--hook", *request.mutable_hook(), "Only of this hook (default: all)");
  AddChoice(command, "--state", arguments.state, {"changed", "unchanged", "failed", "skipped", "dry-run"},
            "Only those that ended so (default: all)");
  command.add_option("--event", *request.mutable_event_id(), "Only for the event with this id (default: all)")->type_name("ID");
  AddMoment(command, "--from", arguments.from, "Only those that began then or later (default: all)");
  AddMoment(command, "--until", arguments.until, "Only those that began before (default: all)");
  AddCount(command, "--limit", arguments.limit, "Not more than so many, the newest")->capture_default_str();
}

}  // namespace

void AddContainerExecutionsCommand(CLI::App& container, const AskService& ask) {
  auto arguments = std::make_shared<ExecutionsArguments>();
  CLI::App* command = container.add_subcommand("executions", "What the hooks did, newest first");
  AddFilters(*command, *arguments);
  command->footer(R"(Examples:
  pvebus container executions --vmid 101
  pvebus container executions --state failed --from -1h
  pvebus container executions --from '2026-11-23 12:00' --until '2026-11-23 13:00' --limit 1000
  pvebus container executions --event EVENT_ID --output json | jq -r '.executions[].result.output'

EXIT is the exit status of a program that the hook ran, 128 + N when signal N ended it. DETAIL ends with the last line that the
program wrote; --output json has all that was kept of it, and the ids of the events.

Exit status: 0 listed, whatever the results, 2 wrong usage, 3 container-service is unreachable or refused.)");
  command->callback([arguments, ask] {
    if (arguments->IsBackward()) throw CLI::ValidationError("--until", "is not after --from");
    ask([arguments](const GlobalOptions& global, Console& console) { return List(*arguments, global, console); });
  });
}

}  // namespace pvebus::cli
