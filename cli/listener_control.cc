#include "cli/listener_control.h"

#include "absl/strings/str_format.h"
#include "cli/connection.h"
#include "cli/error_output.h"
#include "cli/listener_output.h"
#include "cli/options.h"
#include "cli/proto_json.h"
#include "cli/table.h"
#include "pvebus/bus/v1/registry_service.grpc.pb.h"

namespace pvebus::cli {
namespace {

using bus::v1::RegistryService;
using Stub = RegistryService::Stub;

struct ControlArguments {
  std::string name;
  std::string etag;
  std::string reason;
  std::optional<bus::v1::StartPosition> to;
  bool force = false;
  bool validate_only = false;
};

// What the response says beside the listener's new state.
std::string Sentence(const bus::v1::PauseListenerResponse&) { return "paused; what is in flight may still be answered"; }
std::string Sentence(const bus::v1::ResumeListenerResponse&) { return "resumed"; }
std::string Sentence(const bus::v1::EvictListenerResponse& response) {
  if (response.evicted_instance_id().empty()) return "nobody held the name";
  return absl::StrFormat("instance %s lost the name; the backlog stays", Printable(response.evicted_instance_id()));
}
std::string Sentence(const bus::v1::SeekListenerResponse& response) {
  return absl::StrFormat("goes on at sequence %d; %d unsettled events jumped over", response.next_sequence(),
                         response.skipped_count());
}
std::string Sentence(const bus::v1::DeleteListenerResponse& response) {
  return absl::StrFormat("forgotten; %d unsettled events and dead letters given up", response.dropped_count());
}

void PrintState(const bus::v1::DeleteListenerResponse&, std::ostream&) {}
template <typename Response>
void PrintState(const Response& response, std::ostream& out) {
  out << '\n';
  PrintListeners({response.listener()}, std::chrono::system_clock::now(), out);
}

template <typename Method, typename Request>
int Control(Method method, const Request& request, const GlobalOptions& global, Console& console) {
  const auto response = Ask<RegistryService>(method, request, global, console);
  if (!response.ok()) return PrintRefusal(response.status(), global, console);
  Show(*response, console, [&](std::ostream& out) {
    out << absl::StrFormat("%s: %s\n", Printable(request.name()), Sentence(*response));
    PrintState(*response, out);
  });
  return kAllSucceeded;
}

template <typename Request>
Request RequestFor(const ControlArguments& arguments) {
  Request request;
  request.set_name(arguments.name);
  request.set_etag(arguments.etag);
  return request;
}

class ControlCommands {
 public:
  ControlCommands(CLI::App& listeners, Action& action) : listeners_(listeners), action_(action) {}

  void AddPause() {
    CLI::App& command =
        Add("pause", "Send it nothing more until it is resumed", [](auto& arguments, auto& global, auto& console) {
          auto request = RequestFor<bus::v1::PauseListenerRequest>(arguments);
          request.set_reason(arguments.reason);
          return Control(&Stub::PauseListener, request, global, console);
        });
    AddReason(command);
  }

  void AddResume() {
    Add("resume", "End a pause", [](auto& arguments, auto& global, auto& console) {
      return Control(&Stub::ResumeListener, RequestFor<bus::v1::ResumeListenerRequest>(arguments), global, console);
    });
  }

  void AddEvict() {
    CLI::App& command =
        Add("evict", "Take the name from whoever holds it; the backlog stays", [](auto& arguments, auto& global, auto& console) {
          auto request = RequestFor<bus::v1::EvictListenerRequest>(arguments);
          request.set_reason(arguments.reason);
          return Control(&Stub::EvictListener, request, global, console);
        });
    AddReason(command);
  }

  void AddSeek() {
    CLI::App& command = Add("seek", "Move it to another place in the journal", [](auto& arguments, auto& global, auto& console) {
      auto request = RequestFor<bus::v1::SeekListenerRequest>(arguments);
      *request.mutable_position() = *arguments.to;
      request.set_validate_only(arguments.validate_only);
      return Control(&Stub::SeekListener, request, global, console);
    });
    AddPosition(command, "--to", last_->to, "Where to; going back delivers again, jumping over settles as skipped")->required();
    command.add_flag("--validate-only", last_->validate_only, "Say what would happen, do nothing");
  }

  void AddDelete() {
    CLI::App& command = Add("delete", "Forget it", [](auto& arguments, auto& global, auto& console) {
      auto request = RequestFor<bus::v1::DeleteListenerRequest>(arguments);
      request.set_force(arguments.force);
      return Control(&Stub::DeleteListener, request, global, console);
    });
    command.add_flag("--force", last_->force, "Even when it is connected or has unsettled events");
  }

 private:
  using Run = int (*)(const ControlArguments&, const GlobalOptions&, Console&);

  CLI::App& Add(const std::string& name, const std::string& description, Run run) {
    last_ = std::make_shared<ControlArguments>();
    CLI::App* command = listeners_.add_subcommand(name, description);
    command->add_option("NAME", last_->name, "The listener")->required();
    command->add_option("--etag", last_->etag, "Only if it has not changed since (see `pvebus listeners NAME`)");
    command->callback([this_action = &action_, arguments = last_, run] {
      *this_action = [arguments, run](const GlobalOptions& global, Console& console) { return run(*arguments, global, console); };
    });
    return *command;
  }

  void AddReason(CLI::App& command) { command.add_option("--reason", last_->reason, "Why, for those who look at it"); }

  CLI::App& listeners_;
  Action& action_;
  std::shared_ptr<ControlArguments> last_;  // of the command added last; the command's callback keeps it alive
};

}  // namespace

void AddListenerControlCommands(CLI::App& listeners, Action& action) {
  ControlCommands commands(listeners, action);
  commands.AddPause();
  commands.AddResume();
  commands.AddEvict();
  commands.AddSeek();
  commands.AddDelete();
}

}  // namespace pvebus::cli
