#include "cli/dead_letter_control.h"

#include "absl/strings/str_format.h"
#include "cli/connection.h"
#include "cli/dead_letter_selection.h"
#include "cli/error_output.h"
#include "cli/proto_json.h"
#include "pvebus/bus/v1/dead_letter_service.grpc.pb.h"

namespace pvebus::cli {
namespace {

using bus::v1::DeadLetterService;

std::string Letters(uint64_t count) { return absl::StrFormat("%d dead %s", count, count == 1 ? "letter" : "letters"); }

void PrintOutcome(const bus::v1::RedriveDeadLettersRequest& request, const bus::v1::RedriveDeadLettersResponse& response,
                  std::ostream& out) {
  if (response.redriven_count() == 0) {
    out << "nothing to redrive: no dead letter is selected\n";
  } else if (request.validate_only()) {
    out << absl::StrFormat("%s would be delivered again; nothing was done\n", Letters(response.redriven_count()));
  } else {
    out << absl::StrFormat(
        "%s %s delivered again, as redrive %s\nto watch it: pvebus dead-letters list   (what succeeds leaves it)\n",
        Letters(response.redriven_count()), response.redriven_count() == 1 ? "is" : "are", response.redrive_id());
  }
}

void PrintOutcome(const bus::v1::DiscardDeadLettersRequest& request, const bus::v1::DiscardDeadLettersResponse& response,
                  std::ostream& out) {
  if (response.discarded_count() == 0) {
    out << "nothing to discard: no dead letter is selected, or a redrive has it\n";
  } else if (request.validate_only()) {
    out << absl::StrFormat("%s would be forgotten; nothing was done\n", Letters(response.discarded_count()));
  } else {
    out << absl::StrFormat("%s forgotten\n", Letters(response.discarded_count()));
  }
}

uint64_t CountOf(const bus::v1::RedriveDeadLettersResponse& response) { return response.redriven_count(); }
uint64_t CountOf(const bus::v1::DiscardDeadLettersResponse& response) { return response.discarded_count(); }

template <typename Method, typename Request>
int Control(Method method, const Request& request, const GlobalOptions& global, Console& console) {
  const auto response = Ask<DeadLetterService>(method, request, global, console);
  if (!response.ok()) return PrintRefusal(response.status(), global, console);
  Show(*response, console, [&](std::ostream& out) { PrintOutcome(request, *response, out); });
  const auto named = static_cast<uint64_t>(request.selection().dead_letter_ids_size());
  if (CountOf(*response) >= named) return kAllSucceeded;
  console.err << absl::StrFormat("pvebus: %d of the %d that were named; the others are not there, or a redrive has them\n",
                                 CountOf(*response), named);
  return kListenerFailed;
}

template <typename Request>
struct ControlArguments {
  DeadLetterArguments selection;
  Request request;
};

// What redrive and discard have in common. The command's callback keeps the arguments alive.
template <typename Request, typename Method>
CLI::App& AddControl(CLI::App& dead_letters, Action& action, const std::string& verb, const std::string& description,
                     Method method, std::shared_ptr<ControlArguments<Request>> arguments) {
  CLI::App* command = dead_letters.add_subcommand(verb, description);
  AddDeadLetterSelection(*command, arguments->selection);
  command->add_flag_callback(
      "--validate-only", [&request = arguments->request] { request.set_validate_only(true); },
      "Say how many there are, do nothing");
  command->callback([arguments, verb, method, &action] {
    *arguments->request.mutable_selection() = arguments->selection.ToSelection(verb);
    action = [arguments, method](const GlobalOptions& global, Console& console) {
      return Control(method, arguments->request, global, console);
    };
  });
  return *command;
}

std::string WithExitStatus(const std::string& examples) {
  return examples + "\n\nExit status: 0 done, 1 not all of the named ones were there, 2 wrong usage, 3 unreachable or refused.";
}

}  // namespace

void AddRedriveCommand(CLI::App& dead_letters, Action& action) {
  auto arguments = std::make_shared<ControlArguments<bus::v1::RedriveDeadLettersRequest>>();
  CLI::App& command = AddControl(dead_letters, action, "redrive", "Deliver them again, with attempts counted anew",
                                 &DeadLetterService::Stub::RedriveDeadLetters, arguments);
  command.footer(WithExitStatus(R"(Examples:
  pvebus dead-letters redrive 17 18
  pvebus dead-letters redrive --filter 'listener = "storage-hooks" AND reason = "NFS_DOWN"' --validate-only
  pvebus dead-letters redrive --all)"));
}

void AddDiscardCommand(CLI::App& dead_letters, Action& action) {
  auto arguments = std::make_shared<ControlArguments<bus::v1::DiscardDeadLettersRequest>>();
  CLI::App& command = AddControl(dead_letters, action, "discard", "Forget them for good",
                                 &DeadLetterService::Stub::DiscardDeadLetters, arguments);
  const auto not_empty = [](const std::string& text) { return text.empty() ? "say why, for those who look for them later" : ""; };
  command.add_option("--reason", *arguments->request.mutable_reason(), "Why, for the log")
      ->type_name("TEXT")
      ->check(CLI::Validator(not_empty, ""))
      ->required();
  command.footer(WithExitStatus(R"(Examples:
  pvebus dead-letters discard 17 --reason "the container is gone"
  pvebus dead-letters discard --filter 'event_type = custom' --reason "test events" --validate-only
  pvebus dead-letters discard --all --reason "fresh start"

Those that are being redriven stay.)"));
}

}  // namespace pvebus::cli
