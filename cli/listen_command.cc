#include "absl/strings/str_format.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/duration.h"
#include "cli/error_output.h"
#include "cli/listen_session.h"
#include "cli/options.h"
#include "sdk/client/channel.h"
#include "sdk/client/proto_time.h"
#include "sdk/service/stop_signal.h"

namespace pvebus::cli {
namespace {

// In the order of bus::v1::RejectMode.
const std::vector<std::string>& RejectModes() {
  static const auto& names = *new std::vector<std::string>{"retry", "release", "dead-letter", "skip"};
  return names;
}

struct ListenArguments {
  ListenPlan plan;
  bool ack = false;
  bool durable = false;
  bool takeover = false;
  std::optional<size_t> reject;
  std::string reason = "REJECTED_BY_OPERATOR";
  std::string message = "rejected on request of `pvebus listen`";
  std::vector<event::v1::EventType> types;
  std::optional<bus::v1::StartPosition> from;
  std::optional<std::chrono::milliseconds> delay, retry_delay, lease, ack_deadline;
};

bus::v1::Rejection RejectionFor(const ListenArguments& arguments) {
  bus::v1::Rejection rejection;
  rejection.set_mode(static_cast<bus::v1::RejectMode>(*arguments.reject + 1));
  const bool again = rejection.mode() == bus::v1::REJECT_MODE_RETRY || rejection.mode() == bus::v1::REJECT_MODE_RELEASE;
  const auto code = again ? absl::StatusCode::kUnavailable : absl::StatusCode::kFailedPrecondition;
  rejection.mutable_error()->set_code(static_cast<int>(code));
  rejection.mutable_error()->set_reason(arguments.reason);
  rejection.mutable_error()->set_message(arguments.message);
  rejection.mutable_error()->set_retryable(again);
  if (arguments.retry_delay) *rejection.mutable_retry_delay() = client::ToProto(*arguments.retry_delay);
  return rejection;
}

ListenPlan PlanFor(const ListenArguments& arguments) {
  ListenPlan plan = arguments.plan;
  bus::v1::Registration& registration = plan.registration;
  registration.set_ephemeral(!arguments.durable);
  for (const event::v1::EventType type : arguments.types) registration.add_event_types(type);
  if (arguments.from) *registration.mutable_start_position() = *arguments.from;
  if (arguments.lease) *registration.mutable_lease_duration() = client::ToProto(*arguments.lease);
  if (arguments.ack_deadline)
    *registration.mutable_delivery_policy()->mutable_ack_deadline() = client::ToProto(*arguments.ack_deadline);
  if (arguments.takeover) registration.set_conflict_policy(bus::v1::CONFLICT_POLICY_TAKEOVER_FORCE);
  if (arguments.delay) plan.delay = *arguments.delay;
  if (arguments.reject) plan.rejection = RejectionFor(arguments);
  return plan;
}

int Listen(const ListenArguments& arguments, const GlobalOptions& global, Console& console) {
  service::BlockStopSignals();
  const auto channel = client::Connect(global.server.address);
  if (const absl::Status status = CheckReachable(channel, global.TimeoutOr(kDefaultTimeout)); !status.ok()) {
    return PrintRefusal(status, global, console);
  }
  ListenSession session(PlanFor(arguments), console);
  const service::StopSignalThread stop([&session](const std::string&) { session.RequestStop(); });
  const absl::Status status = session.Run(channel);
  return status.ok() ? kAllSucceeded : PrintRefusal(status, global, console);
}

void AddAnswerOptions(CLI::App& command, ListenArguments& arguments) {
  const std::string group = "What to answer";
  auto* ack = command.add_flag("--ack", arguments.ack, "Acknowledge each event (default)")->group(group);
  auto* reject =
      AddChoice(command, "--reject", arguments.reject, RejectModes(), "Reject each event")->group(group)->excludes(ack);
  command.add_option("--message", arguments.message, "Text of the rejection")->group(group)->needs(reject);
  command.add_option("--reason", arguments.reason, "Reason of the rejection, UPPER_SNAKE")->group(group)->needs(reject);
  AddDuration(command, "--retry-delay", arguments.retry_delay, "Try again after this instead of the backoff")
      ->group(group)
      ->needs(reject);
  command.add_flag("--hang", arguments.plan.hang, "Never answer: the ack deadline will pass")
      ->group(group)
      ->excludes(ack)
      ->excludes(reject);
  AddDuration(command, "--delay", arguments.delay, "Work so long on each event before answering")->group(group);
}

void AddRegistrationOptions(CLI::App& command, ListenArguments& arguments) {
  const std::string group = "How to listen";
  bus::v1::Registration& registration = arguments.plan.registration;
  const auto uint32_option = [&](const std::string& name, auto setter, const std::string& description) {
    command.add_option_function<uint32_t>(name, setter, description)->type_name("N")->group(group);
  };
  command.add_flag("--durable", arguments.durable, "Keep the backlog when this program ends (default: forget the listener)")
      ->group(group);
  AddEventTypes(command, arguments.types)->group(group);
  command.add_option("--filter", *registration.mutable_filter(), "Only those, for example 'attributes.site = \"east\"'")
      ->group(group);
  AddPosition(command, "--from", arguments.from, "Where a new listener begins (default: latest)")->group(group);
  uint32_option(
      "--max-in-flight", [&registration](uint32_t n) { registration.set_max_in_flight(n); },
      "Events that may be unanswered at once (default 64)");
  command.add_option("--concurrency", arguments.plan.concurrency, "Events handled at once (default 4)")
      ->check(CLI::Range(1, 1000))
      ->type_name("N")
      ->group(group);
  command.add_option("--count", arguments.plan.count, "End after so many events (default: at Ctrl-C)")
      ->type_name("N")
      ->group(group);
  AddDuration(command, "--lease", arguments.lease, "Lose the name after this silence (default 15s)")->group(group);
  AddDuration(command, "--ack-deadline", arguments.ack_deadline, "Time for an answer (default 30s)")->group(group);
  uint32_option(
      "--max-attempts", [&registration](uint32_t n) { registration.mutable_delivery_policy()->set_max_attempts(n); },
      "Attempts before an event is given up (default 10)");
  command.add_flag("--takeover", arguments.takeover, "Take the name from whoever holds it")->group(group);
  command.add_option("--instance-id", *registration.mutable_instance_id(), "Who this is (default: a random name)")->group(group);
  command.add_flag("--original", arguments.plan.original, "Print each event in the JSON of the original project, one a line")
      ->group(group);
}

}  // namespace

void AddListenCommand(CLI::App& root, Action& action) {
  auto arguments = std::make_shared<ListenArguments>();
  CLI::App* command = root.add_subcommand("listen", "Be a listener: show what arrives, and answer it as told");
  command->add_option("NAME", *arguments->plan.registration.mutable_listener(), "Name of the listener: a-z, 0-9 and -")
      ->required();
  AddAnswerOptions(*command, *arguments);
  AddRegistrationOptions(*command, *arguments);
  command->footer(R"(Examples:
  pvebus listen my-eyes
  pvebus listen my-eyes --types container_started --count 1 --output json
  pvebus listen troublemaker --reject retry --message "NAS does not answer" --retry-delay 2s
  pvebus listen sleeper --hang --ack-deadline 5s
  pvebus listen audit --durable --from earliest

Exit status: 0 ended by --count or Ctrl-C, 2 wrong usage, 3 unreachable, or the name was refused or lost.)");
  command->callback([arguments, &action] {
    action = [arguments](const GlobalOptions& global, Console& console) { return Listen(*arguments, global, console); };
  });
}

}  // namespace pvebus::cli
