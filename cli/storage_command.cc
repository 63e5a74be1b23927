#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "cli/error_output.h"
#include "cli/event_input.h"
#include "cli/storage_commands.h"
#include "cli/storage_output.h"

namespace pvebus::cli {
namespace {

int ParseFile(const std::string& file, Console& console) {
  const auto text = ReadSource(file == "-" ? file : "@" + file, std::cin);
  if (!text.ok()) return PrintUsageError(std::string(text.status().message()), console);
  const storage::StorageConfig config = storage::ParseStorageConfig(*text);
  if (console.json()) {
    console.out << ToJson(config);
    return kAllSucceeded;
  }
  PrintStorages(config.storages, console.out);
  PrintStorageWarnings(file == "-" ? "standard input" : file, config.warnings, console.err);
  return kAllSucceeded;
}

void AddParseCommand(CLI::App& storage, Action& action) {
  auto file = std::make_shared<std::string>();
  CLI::App* command = storage.add_subcommand(
      "parse", "Show a storage.cfg as Proxmox VE 8 understands it, and what is wrong with it; needs no service");
  command->add_option("FILE", *file, "The file; - for standard input")->required();
  command->footer(R"(Examples:
  pvebus storage parse /etc/pve/storage.cfg
  pvebus storage parse storage.cfg --output json | jq '.warnings[] | select(.section_skipped)'
  ssh node2 cat /etc/pve/storage.cfg | pvebus storage parse -

Defaults are filled in: content, the path of what is mounted, ports. A Ceph monitor without a port has none (null). With
--output json, `properties` has what no other field shows. Warnings say what Proxmox VE ignores, skips or takes otherwise than it
looks; they are on standard error, with --output json in `warnings`. Secrets that should not be in the file are not shown. The
storage `local`, which every node has, is listed when the file has it.

Exit status: 0 the file was read, with or without warnings, 2 it cannot be read, or wrong usage.)");
  command->callback(
      [file, &action] { action = [file](const GlobalOptions&, Console& console) { return ParseFile(*file, console); }; });
}

}  // namespace

void AddStorageCommand(CLI::App& root, Action& action) {
  CLI::App* command = root.add_subcommand("storage", "The storages of a node: how they stand, their VLANs, their storage.cfg");
  command->require_subcommand(1);
  const AskService ask = AddServiceOption(*command, "storage", "127.0.0.1:7403", action);
  AddStorageListCommand(*command, ask);
  AddStorageStatusCommand(*command, ask);
  AddStorageVlanCommands(*command, ask);
  AddStorageReconcileCommand(*command, ask);
  AddParseCommand(*command, action);
  command->footer(R"(Examples:
  pvebus storage list
  pvebus storage status nas --refresh
  pvebus storage vlan create nas --base vmbr0 --tag 100 --address 10.1.0.5/24
  pvebus storage reconcile
  pvebus storage parse /etc/pve/storage.cfg

All but `parse` ask storage-service (not the bus), and find it with --storage, which may stand anywhere behind `storage`.)");
}

}  // namespace pvebus::cli
