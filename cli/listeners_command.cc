#include "absl/strings/str_format.h"
#include "cli/bus_connection.h"
#include "cli/commands.h"
#include "cli/error_output.h"
#include "cli/listener_control.h"
#include "cli/listener_output.h"
#include "cli/proto_json.h"
#include "pvebus/bus/v1/registry_service.grpc.pb.h"
#include "sdk/client/channel.h"

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
  const auto stub = RegistryService::NewStub(client::Connect(global.bus));
  const auto response = Call(*stub, &RegistryService::Stub::GetListener, request, global.TimeoutOr(kDefaultTimeout));
  if (!response.ok()) return PrintRefusal(response.status(), global, console);
  if (console.json()) {
    console.out << ToJson(*response, JsonLayout::kPretty);
  } else {
    PrintListener(response->listener(), console.out);
  }
  return kAllSucceeded;
}

int ShowAll(const ListenersArguments& arguments, const GlobalOptions& global, Console& console) {
  const auto stub = RegistryService::NewStub(client::Connect(global.bus));
  bus::v1::ListListenersRequest request;
  request.set_page_size(1000);
  request.set_filter(arguments.filter);
  bus::v1::ListListenersResponse all;
  do {
    auto page = Call(*stub, &RegistryService::Stub::ListListeners, request, global.TimeoutOr(kDefaultTimeout));
    if (!page.ok()) return PrintRefusal(page.status(), global, console);
    request.set_page_token(page->next_page_token());
    for (bus::v1::Listener& listener : *page->mutable_listeners()) all.add_listeners()->Swap(&listener);
  } while (!request.page_token().empty());

  if (console.json()) {
    console.out << ToJson(all, JsonLayout::kPretty);
  } else if (all.listeners().empty()) {
    console.out << (arguments.filter.empty() ? "no listeners\n" : "no listeners match\n");
  } else {
    PrintListeners({all.listeners().begin(), all.listeners().end()}, console.out);
  }
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
  pvebus listeners seek storage-hooks --to earliest)");
  command->callback([command, arguments, &action] {
    if (!command->get_subcommands().empty()) return;
    action = [arguments](const GlobalOptions& global, Console& console) {
      return arguments->name.empty() ? ShowAll(*arguments, global, console) : ShowOne(*arguments, global, console);
    };
  });
}

}  // namespace pvebus::cli
