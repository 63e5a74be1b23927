#include <iostream>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/duration.h"
#include "cli/error_output.h"
#include "cli/event_input.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/proto_json.h"
#include "cli/result_output.h"
#include "sdk/base/random.h"
#include "sdk/client/channel.h"
#include "sdk/client/proto_time.h"
#include "sdk/client/publisher.h"
#include "sdk/events/event_json.h"
#include "sdk/events/names.h"

namespace pvebus::cli {
namespace {

using EventSource = std::function<absl::StatusOr<event::v1::SystemEvent>()>;

constexpr std::chrono::milliseconds kDefaultWait = std::chrono::seconds(10);

// In the order of bus::v1::WaitPolicy.
const std::vector<std::string>& WaitNames() {
  static const auto& names = *new std::vector<std::string>{"durable", "first-attempt", "settled"};
  return names;
}

struct PublishArguments {
  std::string json;
  std::vector<std::string> changes;
  std::string changes_file;
  uint32_t container_id = 0;
  std::string storage_id;
  std::string phase;
  std::string custom_name;
  std::string custom_data;
  EventSource event;  // which of the above was chosen

  event::v1::SystemEvent envelope;
  std::vector<std::pair<std::string, std::string>> attributes;
  std::optional<std::chrono::milliseconds> expire_in;

  std::optional<size_t> wait;
  client::PublishOptions publish;
};

absl::StatusOr<std::string> ReadArgument(const std::string& text) { return ReadSource(text, std::cin); }

// What `option` names, understood by `parse`; errors name the option.
absl::StatusOr<event::v1::SystemEvent> EventFromSource(const char* option, const std::string& source,
                                                       absl::StatusOr<event::v1::SystemEvent> (*parse)(const std::string&)) {
  const auto text = ReadArgument(source);
  auto event = text.ok() ? parse(*text) : text.status();
  if (event.ok()) return event;
  return absl::Status(event.status().code(), absl::StrFormat("%s: %s", option, std::string(event.status().message())));
}

absl::StatusOr<event::v1::SystemEvent> EventFromAnyJson(const std::string& json) { return events::EventFromJson(json); }

event::v1::SystemEvent WithEnvelope(event::v1::SystemEvent event, const PublishArguments& arguments) {
  event.MergeFrom(arguments.envelope);
  for (const auto& [key, value] : arguments.attributes) (*event.mutable_attributes())[key] = value;
  if (arguments.expire_in)
    *event.mutable_expire_time() = client::ToProto(std::chrono::system_clock::now() + *arguments.expire_in);
  return event;
}

std::string NewRequestId() {
  SeededRandom random(SeededRandom::SystemSeed());
  return absl::StrFormat("pvebus-%016x%016x", random.Next(), random.Next());
}

void PrintUncertainty(const absl::Status& status, const std::string& request_id, Console& console) {
  const bool uncertain = status.code() == absl::StatusCode::kDeadlineExceeded || status.code() == absl::StatusCode::kUnavailable;
  if (uncertain && !console.json()) {
    console.err << absl::StrFormat("  whether the event was stored: pvebus result --request-id %s\n", request_id);
  }
}

void PrintResponse(const bus::v1::PublishResponse& response, const client::PublishOptions& options, Console& console) {
  if (console.json()) {
    console.out << ToJson(response, JsonLayout::kPretty);
    return;
  }
  if (options.validate_only || options.wait_policy == bus::v1::WAIT_POLICY_DURABLE) {
    PrintReceivers(response.result(), console.out);
  } else {
    PrintResult(response.result(), console.out);
  }
  if (response.duplicate()) console.out << "\nnote: this had been published before; nothing was stored again\n";
}

int Publish(PublishArguments& arguments, const GlobalOptions& global, Console& console) {
  const auto event = arguments.event();
  if (!event.ok()) return PrintUsageError(std::string(event.status().message()), console);
  client::PublishOptions& options = arguments.publish;
  if (arguments.wait) options.wait_policy = static_cast<bus::v1::WaitPolicy>(*arguments.wait + 1);
  options.deadline = global.TimeoutOr(options.wait_timeout.value_or(kDefaultWait) + kDefaultTimeout);
  if (options.request_id.empty()) options.request_id = NewRequestId();

  const auto channel = client::Connect(global.server.address);
  if (const absl::Status status = CheckReachable(channel, options.deadline); !status.ok())
    return PrintRefusal(status, global, console);
  const RealClock clock;
  const client::Publisher publisher(channel, "pvebus", clock);
  const auto response = [&] {
    const Progress progress("waiting for the listeners", clock, console);
    return publisher.Publish(WithEnvelope(*event, arguments), options);
  }();
  if (!response.ok()) {
    PrintRefusal(response.status(), global, console);
    PrintUncertainty(response.status(), options.request_id, console);
    return kRefused;
  }

  PrintResponse(*response, options, console);
  if (options.validate_only) return kAllSucceeded;
  return options.wait_policy == bus::v1::WAIT_POLICY_DURABLE ? ExitCodeOfDurable(response->result())
                                                             : ExitCodeOf(response->result());
}

void AddEnvelopeOptions(CLI::App& command, PublishArguments& arguments) {
  const std::string group = "About the event";
  event::v1::SystemEvent& envelope = arguments.envelope;
  command.add_option("--event-id", *envelope.mutable_event_id(), "Its identity (default: the bus makes one)")->group(group);
  command.add_option("--source", *envelope.mutable_source(), "Who publishes (default: pvebus)")->group(group);
  command.add_option("--subject", *envelope.mutable_subject(), "What it is about, for filters")->group(group);
  command.add_option("--key", *envelope.mutable_ordering_key(), "Ordering key (default: from the kind of event)")->group(group);
  AddPairs(command, "--attribute", arguments.attributes, "A label for filters; repeatable")->group(group);
  AddDuration(command, "--expire-in", arguments.expire_in, "Not worth delivering after this")->group(group);
  command
      .add_option_function<std::string>(
          "--parent", [&envelope](const std::string& id) { envelope.mutable_causation()->set_parent_event_id(id); },
          "The event that caused this one")
      ->envname("PVEBUS_PARENT")  // as hook programs have it
      ->type_name("EVENT_ID")
      ->group(group);
}

void AddWaitOptions(CLI::App& command, PublishArguments& arguments) {
  const std::string group = "How to publish";
  client::PublishOptions& publish = arguments.publish;
  AddChoice(command, "--wait", arguments.wait, WaitNames(),
            "Until it is journaled, each listener answered once (default), or all is final")
      ->group(group);
  AddDuration(command, "--wait-timeout", publish.wait_timeout, "Wait for listeners at most so long (default 10s, at most 30s)")
      ->group(group);
  command.add_option("--require", publish.required_listeners, "Listeners that must be there and succeed; repeatable")
      ->type_name("NAME")
      ->delimiter(',')
      ->group(group);
  command.add_option("--request-id", publish.request_id, "Publish at most once, however often this is repeated")->group(group);
  command.add_flag("--validate-only", publish.validate_only, "Say who would get it, store nothing")->group(group);
  command.add_option("--expected-last-sequence", publish.expected_last_sequence, "Only if this is the last event in the journal")
      ->type_name("SEQUENCE")
      ->group(group);
}

void AddNetworkApplied(CLI::App& publish, PublishArguments& arguments) {
  CLI::App* command = publish.add_subcommand("network-applied", "The network configuration was applied");
  auto* change = command->add_option("--change", arguments.changes, "TYPE is create, update, delete or modify; repeatable")
                     ->type_name("TYPE:TARGET[:DESCRIPTION]");
  command
      ->add_option("--changes-file", arguments.changes_file,
                   "JSON list of changes with old_config and new_config; - for standard input")
      ->type_name("FILE")
      ->excludes(change);
  command->callback([&arguments] {
    if (arguments.changes.empty() && arguments.changes_file.empty()) {
      throw CLI::RequiredError("--change TYPE:TARGET or --changes-file FILE");
    }
    arguments.event = [&arguments] {
      if (arguments.changes_file.empty()) return NetworkAppliedEvent(arguments.changes);
      const bool standard_input = arguments.changes_file == "-";
      return EventFromSource("--changes-file", standard_input ? "-" : "@" + arguments.changes_file, EventFromChangesJson);
    };
  });
}

void AddSimpleEvents(CLI::App& publish, PublishArguments& arguments) {
  CLI::App* container = publish.add_subcommand("container-started", "A container started");
  container->add_option("ID", arguments.container_id, "The container's vmid")->required()->check(CLI::Range(100u, 999'999'999u));
  container->callback([&arguments] {
    arguments.event = [&arguments]() -> absl::StatusOr<event::v1::SystemEvent> {
      event::v1::SystemEvent event;
      event.mutable_container_started()->set_id(arguments.container_id);
      return event;
    };
  });

  CLI::App* storage = publish.add_subcommand("storage-vlan-created", "The VLAN of a storage was created");
  storage->add_option("ID", arguments.storage_id, "The storage's id")->required();
  storage->callback([&arguments] {
    arguments.event = [&arguments]() -> absl::StatusOr<event::v1::SystemEvent> {
      event::v1::SystemEvent event;
      event.mutable_storage_vlan_created()->set_id(arguments.storage_id);
      return event;
    };
  });

  CLI::App* migration = publish.add_subcommand("migration-phase-changed", "The migration of the network API is in another phase");
  migration->add_option("PHASE", arguments.phase, absl::StrJoin(events::MigrationPhaseNames(), ", "))->required();
  migration->callback([&arguments] { arguments.event = [&arguments] { return MigrationPhaseChangedEvent(arguments.phase); }; });
}

void AddCustom(CLI::App& publish, PublishArguments& arguments) {
  CLI::App* command = publish.add_subcommand("custom", "Anything else");
  command->add_option("NAME", arguments.custom_name, "The event's name")->required();
  command->add_option("--data", arguments.custom_data, "Its content")->type_name("JSON|@FILE|-");
  command->callback([&arguments] {
    arguments.event = [&arguments]() -> absl::StatusOr<event::v1::SystemEvent> {
      const auto data = ReadArgument(arguments.custom_data);
      if (!data.ok()) return data.status();
      return CustomEvent(arguments.custom_name, *data);
    };
  });
}

}  // namespace

void AddPublishCommand(CLI::App& root, Action& action) {
  auto arguments = std::make_shared<PublishArguments>();
  CLI::App* command = root.add_subcommand("publish", "Publish an event and show what every listener did with it");
  command->require_subcommand(0, 1);
  command->add_option("--json", arguments->json, "An event in the JSON of the original project, instead of a command below")
      ->type_name("JSON|@FILE|-");
  AddEnvelopeOptions(*command, *arguments);
  AddWaitOptions(*command, *arguments);
  AddNetworkApplied(*command, *arguments);
  AddSimpleEvents(*command, *arguments);
  AddCustom(*command, *arguments);
  command->footer(R"(Examples:
  pvebus publish container-started 101
  pvebus publish network-applied --change create:vmbr1 --change update:vmbr0:"now VLAN-aware"
  pvebus publish migration-phase-changed rust-read-only --require migration-hooks --wait settled
  pvebus publish custom backup-done --data '{"guest":101}' --attribute site=east
  pvebus publish --json '{"event":"storage_vlan_created","id":"nas"}'
  pvebus publish --json @event.json --request-id nightly-2026-11-23

Exit status: 0 all listeners succeeded (or nobody wanted the event; with --wait durable: none failed), 1 a listener failed or is
pending, 2 wrong usage, 3 the bus is unreachable or refused the event.)");
  command->callback([command, arguments, &action] {
    const bool by_command = !command->get_subcommands().empty();
    const bool by_json = command->count("--json") > 0;
    if (by_command && by_json) throw CLI::ExcludesError("--json", command->get_subcommands().front()->get_name());
    if (!by_command && !by_json) {
      throw CLI::RequiredError(
          "What to publish (network-applied, container-started, storage-vlan-created, migration-phase-changed, "
          "custom, or --json)");
    }
    if (by_json)
      arguments->event = [arguments = arguments.get()] { return EventFromSource("--json", arguments->json, EventFromAnyJson); };
    action = [arguments](const GlobalOptions& global, Console& console) { return Publish(*arguments, global, console); };
  });
}

}  // namespace pvebus::cli
