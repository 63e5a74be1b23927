#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/error_output.h"
#include "cli/listener_control.h"
#include "cli/listener_output.h"
#include "cli/proto_json.h"
#include "pvebus/bus/v1/registry_service.grpc.pb.h"

namespace pvebus::cli {
namespace {

using bus::v1::RegistryService;

struct ListenersArguments {
  std::string name;
  std::string filter;
};

int ShowOne(const ListenersArguments& arguments, const GlobalOptions& global, Console& console) {
  bus::v1::GetListenerRequest request;
  request.set_name(arguments.name);
  const auto response = Ask<RegistryService>(&RegistryService::Stub::GetListener, request, global, console);
  if (!response.ok()) return PrintRefusal(response.status(), global, console);
  Show(*response, console,
       [&](std::ostream& out) { PrintListener(response->listener(), std::chrono::system_clock::now(), out); });
  return kAllSucceeded;
}

int ShowAll(const ListenersArguments& arguments, const GlobalOptions& global, Console& console) {
  bus::v1::ListListenersRequest request;
  request.set_filter(arguments.filter);
  bus::v1::ListListenersResponse all;
  const absl::Status status =
      ForEachPage<RegistryService>(&RegistryService::Stub::ListListeners, request, global, [&](auto& page) {
        for (bus::v1::Listener& listener : *page.mutable_listeners()) all.add_listeners()->Swap(&listener);
        return true;
      });
  if (!status.ok()) return PrintRefusal(status, global, console);
  Show(all, console, [&](std::ostream& out) {
    if (all.listeners().empty()) {
      out << (arguments.filter.empty() ? "no listeners\n" : "no listeners match\n");
    } else {
      PrintListeners({all.listeners().begin(), all.listeners().end()}, std::chrono::system_clock::now(), out);
    }
  });
  return kAllSucceeded;
}

}  // namespace

void AddListenersCommand(CLI::App& root, Action& action) {
  auto arguments = std::make_shared<ListenersArguments>();
  CLI::App* command = root.add_subcommand("listeners", "Show the listeners and how they are doing; steer them");
  command->require_subcommand(0, 1);
  command->add_option("NAME", arguments->name, "Everything about this one");
  command->add_option("--filter", arguments->filter, "Only those, for example 'state = CONNECTED AND node = \"pve1\"'");
  AddListenerControlCommands(*command, action);
  command->footer(R"(Examples:
  pvebus listeners
  pvebus listeners storage-hooks
  pvebus listeners --filter 'state = BLOCKED'
  pvebus listeners pause storage-hooks --reason "NAS is being moved"
  pvebus listeners seek storage-hooks --to -2h

OLDEST is the age of the oldest event that is not settled. One listener alone is shown with what befell it: events that were given
up as it lagged behind, seeks. `pvebus dead-letters list` shows what DEAD LETTERS counts.)");
  command->callback([command, arguments, &action] {
    if (!command->get_subcommands().empty()) return;
    action = [arguments](const GlobalOptions& global, Console& console) {
      return arguments->name.empty() ? ShowAll(*arguments, global, console) : ShowOne(*arguments, global, console);
    };
  });
}

}  // namespace pvebus::cli
