#include <iostream>
#include <memory>

#include "absl/strings/str_format.h"
#include "cli/commands.h"
#include "cli/container_commands.h"
#include "cli/container_output.h"
#include "cli/error_output.h"
#include "cli/event_input.h"
#include "sdk/base/utf8.h"
#include "sdk/pve/running_sdn.h"

namespace pvebus::cli {
namespace {

constexpr size_t kLongestMessage = 300;

struct ParseOptions {
  std::string file;
  std::string sdn_directory = "/etc/pve/sdn";
  std::optional<uint32_t> container_id;
};

container::ContainerConfig Understand(const std::string& text, const ParseOptions& options) {
  const auto id = options.container_id ? options.container_id : container::ContainerIdOf(options.file);
  const auto vnets = pve::ReadRunningSdn(options.sdn_directory);
  container::ContainerConfig config = container::ParseContainerConfig(text, id, vnets.ok() ? *vnets : Vnets());
  if (!vnets.ok()) {
    const std::string message = absl::StrFormat("every bridge= is taken for a bridge: %s", std::string(vnets.status().message()));
    config.findings.insert(config.findings.begin(), {.message = CleanUtf8(message, kLongestMessage)});
  }
  if (!id) {
    config.findings.insert(config.findings.begin(),
                           {.message = "which container it is does not follow from the name of the file, which is no VMID.conf, "
                                       "so the names of its devices on the host are unknown; give --vmid"});
  }
  return config;
}

int ParseFile(const ParseOptions& options, Console& console) {
  const bool from_input = options.file == "-";
  const auto text = ReadSource(from_input ? options.file : "@" + options.file, std::cin);
  if (!text.ok()) return PrintUsageError(std::string(text.status().message()), console);
  const container::ContainerConfig config = Understand(*text, options);
  if (console.json()) {
    console.out << ToJson(config);
    return kAllSucceeded;
  }
  PrintContainer(config, console.out);
  PrintContainerFindings(from_input ? "standard input" : options.file, config.findings, console.err);
  return kAllSucceeded;
}

void AddParseCommand(CLI::App& container, Action& action) {
  CLI::App* parse = container.add_subcommand(
      "parse",
      "Show the network of a container as Proxmox VE 8 understands its file, and what is wrong with it; needs no service");
  auto options = std::make_shared<ParseOptions>();
  parse->add_option("FILE", options->file, "The file, VMID.conf; - for standard input")->required();
  parse
      ->add_option("--sdn-dir", options->sdn_directory,
                   "Where .running-config is, which tells vnets from bridges; without that file there are no vnets")
      ->check(CLI::Validator(CLI::ExistingDirectory).description(""))
      ->type_name("DIR")
      ->capture_default_str();
  CheckVmid(
      parse->add_option("--vmid", options->container_id, "Which container it is, when the name of the file does not say it"));
  parse->footer(R"(Examples:
  pvebus container parse /etc/pve/lxc/101.conf
  pvebus container parse 101.conf --output json | jq '.interfaces[] | select(.firewall)'
  ssh node2 cat /etc/pve/lxc/101.conf | pvebus container parse - --vmid 101

Shown are the values in force: those of snapshots and pending changes are not, only their names and keys. An interface that
Proxmox VE would not take is left out, with a warning. Warnings are on standard error.

With --output json, what is absent is null, addresses are canonical:
  container_id      number
  interfaces        {netN: {name (netN), vnet, bridge (text; one of them), hwaddr, ip, ip6, gw, gw6 (text), tag (number),
                    trunks (list of numbers), firewall, link_down (true, false), mtu, rate (number; MB/s),
                    options {name (inside), type}}}
  hostname          text
  nameservers, search_domains
                    lists of text
  options           {key: text}, the others as the file has them
  extra             description, hookscript, lock, parent: text; host_ifnames {netN: text}; firewall_bridges {netN: {fwbr, fwln,
                    fwpr}}; raw_lxc [{key, value}]; pending, snapshots: lists of text
  warnings          [{line (0: of the whole file), key (empty: of none), message}]

Exit status: 0 the file was read, with or without warnings, 2 it cannot be read, or wrong usage.)");
  parse->callback([options, &action] {
    action = [options](const GlobalOptions&, Console& console) { return ParseFile(*options, console); };
  });
}

}  // namespace

CLI::Option* CheckVmid(CLI::Option* option) {
  constexpr uint32_t kLowestId = 100;
  constexpr uint32_t kHighestId = 999'999'999;
  return option->check(CLI::Range(kLowestId, kHighestId))->type_name("VMID");
}

void AddContainerCommand(CLI::App& root, Action& action) {
  CLI::App* command =
      root.add_subcommand("container", "The containers of a node: their networks, the hooks that are run for them, their files");
  command->require_subcommand(1);
  const AskService ask = AddServiceOption(*command, "container", "127.0.0.1:7402", action);
  AddContainerNetworkCommand(*command, ask);
  AddContainerRunCommand(*command, ask);
  AddContainerHooksCommand(*command, ask);
  AddContainerExecutionsCommand(*command, ask);
  AddContainerStatsCommand(*command, ask);
  AddContainerClearCommand(*command, ask);
  AddParseCommand(*command, action);
  command->footer(R"(Examples:
  pvebus container network 101
  pvebus container run 101 --dry-run
  pvebus container executions --vmid 101 --from -1h
  pvebus container stats
  pvebus container parse /etc/pve/lxc/101.conf

All but `parse` ask container-service (not the bus), and find it with --container, which may stand anywhere behind `container`.)");
}

}  // namespace pvebus::cli
