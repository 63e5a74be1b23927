#include <filesystem>
#include <memory>

#include "absl/strings/str_format.h"
#include "cli/commands.h"
#include "cli/error_output.h"
#include "cli/interfaces_folder.h"
#include "cli/network_commands.h"
#include "cli/network_output.h"

namespace pvebus::cli {
namespace {

constexpr const char* kApplied = "/etc/network/interfaces";
constexpr const char* kStaged = "/etc/network/interfaces.new";

struct Sides {
  std::string before;
  std::string after;
};

// What is staged; nothing is when there is no such file.
Sides SidesOfNode() {
  std::error_code error;
  return {kApplied, std::filesystem::exists(kStaged, error) ? kStaged : kApplied};
}

absl::StatusOr<network::NetworkConfiguration> Read(const std::string& path) {
  const auto place = PlaceOfConfiguration(path);
  if (!place.ok()) return place.status();
  MachineFiles files(place->main_file);
  auto configuration = network::ReadConfiguration(*place, files);
  if (configuration.ok()) return configuration;
  return absl::UnavailableError(
      absl::StrFormat("cannot read '%s': %s", place->main_file, std::string(configuration.status().message())));
}

int CountErrors(const network::NetworkDiff& diff) {
  int errors = 0;
  for (const network::Diagnostic& diagnostic : diff.diagnostics)
    errors += diagnostic.severity == network::Severity::kError ? 1 : 0;
  return errors;
}

int ShowDiff(const Sides& sides, Console& console) {
  const auto before = Read(sides.before);
  if (!before.ok()) return PrintUsageError(std::string(before.status().message()), console);
  const auto after = Read(sides.after);
  if (!after.ok()) return PrintUsageError(std::string(after.status().message()), console);
  const network::NetworkDiff diff = network::Compare(*before, *after);
  const int exit_code = diff.accepted ? kAllSucceeded : kListenerFailed;
  if (console.json()) {
    console.out << ToJson(diff);
    return exit_code;
  }
  PrintDiagnostics(diff.diagnostics, console.err);
  if (diff.accepted) {
    PrintChanges(diff.changes, console.out);
  } else {
    PrintUsageError(absl::StrFormat("%s cannot be applied: errors: %d", sides.after, CountErrors(diff)), console);
  }
  return exit_code;
}

void AddDiffCommand(CLI::App& network, Action& action) {
  auto sides = std::make_shared<Sides>();
  CLI::App* command = network.add_subcommand(
      "diff", "Which interfaces change between two network configurations, and what is wrong with the new one; needs no service");
  CLI::Option* before =
      command->add_option("OLD", sides->before, "The old one: a file, or a folder that stands for /etc/network");
  CLI::Option* after = command->add_option("NEW", sides->after, "The new one");
  before->needs(after);
  command->footer(R"(Examples:
  pvebus network diff                                     # what `ifreload` would do with what Proxmox VE has staged
  pvebus network diff /etc/network/interfaces my-interfaces
  pvebus network diff /backup/etc/network /etc/network    # folders with `interfaces` and `interfaces.d`
  pvebus network diff --output json | jq -r '.changes[].target'
  pvebus network diff --output json | jq '.changes' | pvebus publish network-applied --changes-file -

Without arguments: /etc/network/interfaces and, when it exists, interfaces.new. What is compared is what is in force: all that is
sourced, too. In a folder `source /etc/network/...` means that folder; a file sources what is beside it, and of an absolute path what
is on this machine. Comments, order and spelling are no changes. A renamed interface is a delete and a create. Errors and warnings
are on standard error, as FILE:LINE: error: MESSAGE.

With --output json:
  accepted       true, false: whether the new configuration has no errors
  changes        [{change_type (create, update, delete), target, old_config, new_config, description}]: deletes first, then
                 updates, then creates, by name; of a create old_config is null, of a delete new_config; none unless accepted
                 configs: {name, iface_type ("Physical", {"Bridge": {ports, vlan_aware}}, ...), method, addresses
                 [{addr, prefix_len}], gateway, method6, gateway6, mtu, options {name: text}, enabled}
  diagnostics    [{severity (error, warning), file, line (0: the whole file), message}]: of the new side; the old side's errors
                 are warnings here

At most 1 MiB per file and 1,000 files are read.

Exit status: 0 nothing changes, or what changes can be applied, 1 the new configuration has errors, 2 wrong usage, or OLD or NEW
cannot be read.)");
  command->callback([sides, &action] {
    action = [sides](const GlobalOptions&, Console& console) {
      return ShowDiff(sides->before.empty() ? SidesOfNode() : *sides, console);
    };
  });
}

}  // namespace

void AddNetworkCommand(CLI::App& root, Action& action) {
  CLI::App* command =
      root.add_subcommand("network", "The network configuration of a node: what would change, apply it, take it back");
  command->require_subcommand(1);
  const AskService ask = AddServiceOption(*command, "network", "127.0.0.1:7401", action);
  AddDiffCommand(*command, action);
  AddNetworkPendingCommand(*command, ask);
  AddNetworkApplyCommand(*command, ask);
  AddNetworkConfirmCommand(*command, ask);
  AddNetworkRevertCommand(*command, ask);
  AddNetworkHistoryCommand(*command, ask);
  command->footer(R"(Examples:
  pvebus network pending                      # what is staged, in /etc/network/interfaces.new
  pvebus network apply --confirm 60s          # undone after a minute unless ...
  pvebus network confirm
  pvebus network revert                       # take the last apply back
  pvebus network history
  pvebus network diff OLD NEW --output json

All but `diff` ask network-service (not the bus), and find it with --network, which may stand anywhere behind `network`.)");
}

}  // namespace pvebus::cli
