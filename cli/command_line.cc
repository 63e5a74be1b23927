#include "cli/command_line.h"

#include <CLI/CLI.hpp>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/commands.h"
#include "cli/error_output.h"
#include "cli/options.h"
#include "sdk/base/nearest.h"

namespace pvebus::cli {
namespace {

// The command that was named last: where an unknown word was meant to be understood.
const CLI::App& DeepestCommand(const CLI::App& app) {
  const std::vector<CLI::App*> commands = app.get_subcommands();
  return commands.empty() ? app : DeepestCommand(*commands.back());
}

std::vector<std::string> CommandNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(command->get_name());
  return names;
}

// Of the command and of those above it, which it understands too.
std::vector<std::string> OptionNames(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* app = &command; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

std::string FullName(const CLI::App& command) {
  return command.get_parent() == nullptr ? "pvebus" : FullName(*command.get_parent()) + " " + command.get_name();
}

std::string Explain(const CLI::App& root, const CLI::ParseError& error) {
  const CLI::App& command = DeepestCommand(root);
  const std::vector<std::string> unknown = root.remaining(true);
  const std::vector<std::string> commands = CommandNames(command);
  if (unknown.empty()) {
    const bool command_missing =
        error.get_name() == "RequiredError" && !commands.empty() && command.get_require_subcommand_min() > 0;
    return command_missing ? "a command is missing; there are: " + absl::StrJoin(commands, ", ") : error.what();
  }
  const std::string& word = unknown.front();
  if (word.starts_with("-")) {
    const std::string name = word.substr(0, word.find('='));
    return absl::StrFormat("unknown option %s%s", name, DidYouMean(name, OptionNames(command)));
  }
  if (commands.empty()) return absl::StrFormat("'%s' is one word too many", word);
  return absl::StrFormat("unknown command '%s'%s", word, DidYouMean(word, commands));
}

int PrintParseError(const CLI::App& root, const CLI::ParseError& error, Console& console) {
  PrintUsageError(Explain(root, error), console);
  console.err << absl::StrFormat("  help: %s --help\n", FullName(DeepestCommand(root)));
  return kUsageError;
}

// After the commands, which would inherit it.
void AddFooter(CLI::App& root) {
  root.footer(R"(Each command explains itself: pvebus publish --help. The options above may stand anywhere.

Examples:
  pvebus publish container-started 101
  pvebus listeners
  pvebus events --from -15m --follow
  pvebus trace EVENT_ID
  pvebus dead-letters list
  pvebus storage list
  pvebus container network 101
  pvebus network diff
  pvebus --bus unix:/run/pvebus/bus.sock result EVENT_ID --output json

Exit status: 0 all succeeded, 1 some listener, hook or VLAN failed or is pending, or what was asked about is not as it should be,
2 wrong usage, 3 the server is unreachable or refused.)");
}

void AddGlobalOptions(CLI::App& root, GlobalOptions& global, std::optional<size_t>& format) {
  root.add_option("--bus", global.server.address, "The bus: HOST:PORT or unix:/PATH")
      ->envname("PVEBUS_BUS")
      ->capture_default_str()
      ->type_name("ADDRESS");
  AddChoice(root, "--output", format, {"table", "json"}, "For eyes (default), or for programs");
  AddDuration(root, "--timeout", global.timeout, "Bound on each call (default 10s, beyond what is waited for listeners)");
  root.set_version_flag("--version", "pvebus " PVEBUS_VERSION);
}

}  // namespace

int RunPvebus(int argc, const char* const* argv, Console& console) {
  GlobalOptions global;
  std::optional<size_t> format;
  Action action;
  CLI::App root("pvebus: the event bus of a Proxmox VE node", "pvebus");
  root.fallthrough();
  root.require_subcommand(1);
  AddGlobalOptions(root, global, format);
  AddPublishCommand(root, action);
  AddResultCommand(root, action);
  AddListenersCommand(root, action);
  AddListenCommand(root, action);
  AddWatchCommand(root, action);
  AddEventsCommand(root, action);
  AddEventCommand(root, action);
  AddTraceCommand(root, action);
  AddReplayCommand(root, action);
  AddDeadLettersCommand(root, action);
  AddJournalCommand(root, action);
  AddStorageCommand(root, action);
  AddContainerCommand(root, action);
  AddNetworkCommand(root, action);
  AddMigrationCommand(root, action);
  AddHealthCommand(root, action);
  AddFooter(root);
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return root.exit(error, console.out, console.err);
    return PrintParseError(root, error, console);
  }
  if (format == 1) console.format = OutputFormat::kJson;
  return action(global, console);
}

}  // namespace pvebus::cli
