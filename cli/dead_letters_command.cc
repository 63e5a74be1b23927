#include "absl/strings/str_format.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/dead_letter_control.h"
#include "cli/dead_letter_output.h"
#include "cli/dead_letter_selection.h"
#include "cli/error_output.h"
#include "cli/options.h"
#include "cli/proto_json.h"
#include "pvebus/bus/v1/dead_letter_service.grpc.pb.h"

namespace pvebus::cli {
namespace {

using bus::v1::DeadLetterService;

struct ListArguments {
  std::string filter;
  uint64_t limit = 0;  // 0 is none
};

int List(const ListArguments& arguments, const GlobalOptions& global, Console& console) {
  bus::v1::ListDeadLettersRequest request;
  request.set_filter(arguments.filter);
  if (arguments.limit > 0) request.set_page_size(static_cast<int32_t>(std::min<uint64_t>(arguments.limit, kPageSize)));
  bus::v1::ListDeadLettersResponse all;
  const auto full = [&] { return arguments.limit > 0 && static_cast<uint64_t>(all.dead_letters_size()) == arguments.limit; };
  const absl::Status status =
      ForEachPage<DeadLetterService>(&DeadLetterService::Stub::ListDeadLetters, request, global, [&](auto& page) {
        for (bus::v1::DeadLetter& letter : *page.mutable_dead_letters()) {
          if (!full()) all.add_dead_letters()->Swap(&letter);
        }
        return !full();
      });
  if (!status.ok()) return PrintRefusal(status, global, console);
  Show(all, console, [&](std::ostream& out) {
    if (all.dead_letters().empty()) {
      out << (arguments.filter.empty() ? "no dead letters\n" : "no dead letters match\n");
    } else {
      PrintDeadLetters(all.dead_letters(), std::chrono::system_clock::now(), out);
    }
  });
  return kAllSucceeded;
}

int ShowOne(uint64_t id, const GlobalOptions& global, Console& console) {
  bus::v1::GetDeadLetterRequest request;
  request.set_dead_letter_id(id);
  const auto response = Ask<DeadLetterService>(&DeadLetterService::Stub::GetDeadLetter, request, global, console);
  if (!response.ok()) return PrintRefusal(response.status(), global, console);
  Show(*response, console,
       [&](std::ostream& out) { PrintDeadLetter(response->dead_letter(), std::chrono::system_clock::now(), out); });
  return kAllSucceeded;
}

void AddListCommand(CLI::App& dead_letters, Action& action) {
  auto arguments = std::make_shared<ListArguments>();
  CLI::App* command = dead_letters.add_subcommand("list", "Show them, oldest first");
  command->add_option("--filter", arguments->filter, "Only those, for example 'listener = \"storage-hooks\"'");
  AddCount(*command, "--limit", arguments->limit, "At most so many (default: all)");
  command->footer(R"(Examples:
  pvebus dead-letters list
  pvebus dead-letters list --filter 'reason = "NFS_DOWN" AND event_type = storage_vlan_created'

Filters are over listener, reason, event_type, source, subject, ordering_key, event_id and attributes.KEY.)");
  command->callback([arguments, &action] {
    action = [arguments](const GlobalOptions& global, Console& console) { return List(*arguments, global, console); };
  });
}

void AddShowCommand(CLI::App& dead_letters, Action& action) {
  auto id = std::make_shared<std::string>();
  CLI::App* command = dead_letters.add_subcommand("show", "Show everything about one: the event, every attempt, the hooks");
  command->add_option("ID", *id, "As in the list")->required();
  command->footer("Example:\n  pvebus dead-letters show 17");
  command->callback([id, &action] {
    action = [number = ParseDeadLetterId(*id)](const GlobalOptions& global, Console& console) {
      return ShowOne(number, global, console);
    };
  });
}

}  // namespace

void AddDeadLettersCommand(CLI::App& root, Action& action) {
  CLI::App* command = root.add_subcommand("dead-letters", "What was given up for a listener: see it, try it again, forget it");
  command->require_subcommand(1);
  AddListCommand(*command, action);
  AddShowCommand(*command, action);
  AddRedriveCommand(*command, action);
  AddDiscardCommand(*command, action);
  command->footer(R"(Examples:
  pvebus dead-letters list
  pvebus dead-letters show 17
  pvebus dead-letters redrive --filter 'listener = "storage-hooks"'
  pvebus dead-letters discard 17 --reason "the container is gone")");
}

}  // namespace pvebus::cli
