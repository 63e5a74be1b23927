#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include "absl/strings/str_format.h"
#include "cli/connection.h"
#include "cli/container_commands.h"
#include "cli/error_output.h"
#include "cli/hook_output.h"
#include "cli/options.h"
#include "cli/proto_json.h"
#include "pvebus/container/v1/container_service.grpc.pb.h"

namespace pvebus::cli {
namespace {

using container::v1::ContainerService;
using container::v1::LifecycleEventType;
using container::v1::RunLifecycleHooksRequest;
using container::v1::RunLifecycleHooksResponse;

// Programs take their time, one after the other.
constexpr std::chrono::minutes kRunTimeout{2};

struct EventKind {
  const char* name;
  LifecycleEventType type;
  bool about_interface;
};
constexpr EventKind kEvents[] = {{"started", container::v1::LIFECYCLE_EVENT_TYPE_CONTAINER_STARTED, false},
                                 {"stopped", container::v1::LIFECYCLE_EVENT_TYPE_CONTAINER_STOPPED, false},
                                 {"migrated", container::v1::LIFECYCLE_EVENT_TYPE_CONTAINER_MIGRATED, false},
                                 {"interface-added", container::v1::LIFECYCLE_EVENT_TYPE_INTERFACE_ADDED, true},
                                 {"interface-removed", container::v1::LIFECYCLE_EVENT_TYPE_INTERFACE_REMOVED, true},
                                 {"interface-updated", container::v1::LIFECYCLE_EVENT_TYPE_INTERFACE_UPDATED, true},
                                 {"vnet-bound", container::v1::LIFECYCLE_EVENT_TYPE_VNET_BOUND, true},
                                 {"vnet-unbound", container::v1::LIFECYCLE_EVENT_TYPE_VNET_UNBOUND, true}};

struct RunArguments {
  RunLifecycleHooksRequest request;
  std::optional<size_t> event;  // in kEvents

  const EventKind& Event() const { return kEvents[event.value_or(0)]; }
};

void CheckInterface(const RunArguments& arguments) {
  const EventKind& event = arguments.Event();
  const bool given = !arguments.request.interface().empty();
  if (event.about_interface == given) return;
  const std::string why = given ? absl::StrFormat("is for events of an interface or a vnet, which %s is not", event.name)
                                : absl::StrFormat("is required with --event %s: net0, net1, ...", event.name);
  throw CLI::ValidationError("--interface", why);
}

void Print(const RunLifecycleHooksResponse& response, std::ostream& out) {
  out << absl::StrFormat("event    %s\n\n", Printable(response.event_id()));
  PrintHookResults(response.hook_results(), ProgramOutput::kWhole, out);
}

int Run(const RunArguments& arguments, GlobalOptions global, Console& console) {
  global.timeout = global.TimeoutOr(kRunTimeout);
  RunLifecycleHooksRequest request = arguments.request;
  request.set_event_type(arguments.Event().type);
  const auto response = Ask<ContainerService>(&ContainerService::Stub::RunLifecycleHooks, request, global, console);
  if (!response.ok()) return PrintRefusal(response.status(), global, console);
  Show(*response, console, [&](std::ostream& out) { Print(*response, out); });
  const auto failed = [](const bus::v1::HookResult& hook) { return hook.state() == bus::v1::HOOK_STATE_FAILED; };
  const auto& rows = response->hook_results();
  return std::any_of(rows.begin(), rows.end(), failed) ? kListenerFailed : kAllSucceeded;
}

void AddOptions(CLI::App& command, RunArguments& arguments) {
  RunLifecycleHooksRequest& request = arguments.request;
  const auto set_id = [&request](uint32_t id) { request.set_container_id(id); };
  CheckVmid(command.add_option_function<uint32_t>("VMID", set_id, "The container"))->required();
  std::vector<std::string> names;
  for (const EventKind& event : kEvents) names.emplace_back(event.name);
  AddChoice(command, "--event", arguments.event, std::move(names), "What the hooks are told (default: started)");
  command.add_option("--interface", *request.mutable_interface(), "Which interface it is about, for events of one or of a vnet")
      ->type_name("netN");
  command.add_flag_callback(
      "--dry-run", [&request] { request.set_dry_run(true); }, "Only say what would be done; programs are not run");
}

}  // namespace

void AddContainerRunCommand(CLI::App& container, const AskService& ask) {
  auto arguments = std::make_shared<RunArguments>();
  CLI::App* command = container.add_subcommand("run", "Run the hooks for a container as if its event had come");
  AddOptions(*command, *arguments);
  command->footer(R"(Examples:
  pvebus container run 101 --dry-run
  pvebus container run 101                                   # puts right what should be so after a start
  pvebus container run 101 --event vnet-bound --interface net0
  pvebus container run 101 --output json | jq -r '.hook_results[] | select(.state == "HOOK_STATE_FAILED") | .message'

Nothing is published and no other listener hears of it; `pvebus publish container-started 101` tells everybody. What a program
wrote that a hook ran stands below its row. `pvebus container executions` lists the run under the event's id. It is waited for 2
minutes, or as long as --timeout says.

Exit status: 0 no hook failed, 1 a hook failed, 2 wrong usage, 3 container-service is unreachable or refused.)");
  command->callback([arguments, ask] {
    CheckInterface(*arguments);
    ask([arguments](const GlobalOptions& global, Console& console) { return Run(*arguments, global, console); });
  });
}

}  // namespace pvebus::cli
