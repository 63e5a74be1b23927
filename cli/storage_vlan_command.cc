#include <memory>

#include "absl/strings/str_format.h"
#include "cli/connection.h"
#include "cli/error_output.h"
#include "cli/proto_json.h"
#include "cli/storage_commands.h"
#include "cli/storage_vlan_output.h"
#include "pvebus/storage/v1/storage_service.grpc.pb.h"
#include "sdk/base/ip_address.h"

namespace pvebus::cli {
namespace {

using storage::v1::StorageService;
using Stub = StorageService::Stub;

VlanReportList ReportsOf(const storage::v1::ReconcileStorageVlansResponse& response) { return response.reports(); }
template <typename Response>
VlanReportList ReportsOf(const Response& response) {
  VlanReportList reports;
  *reports.Add() = response.report();
  return reports;
}

// Has something done and says what was.
template <typename Method, typename Request>
int Do(Method method, const Request& request, const GlobalOptions& global, Console& console) {
  const auto response = Ask<StorageService>(method, request, global, console);
  if (!response.ok()) return PrintRefusal(response.status(), global, console);
  const VlanReportList reports = ReportsOf(*response);
  Show(*response, console, [&](std::ostream& out) {
    PrintVlanReports(reports, out);
    PrintVlanAdvice(reports, console.err);
  });
  return ExitCodeOf(reports);
}

int List(const GlobalOptions& global, Console& console) {
  storage::v1::ListStorageVlansResponse all;
  const absl::Status status =
      ForEachPage<StorageService>(&Stub::ListStorageVlans, storage::v1::ListStorageVlansRequest(), global, [&](auto& page) {
        all.MergeFrom(page);
        return true;
      });
  if (!status.ok()) return PrintRefusal(status, global, console);
  all.clear_next_page_token();
  Show(all, console, [&](std::ostream& out) { PrintVlans(all.vlans(), out); });
  return kAllSucceeded;
}

std::string WhyNoAddress(const std::string& text) {
  return ParseIpAddress(text) ? "" : absl::StrFormat("'%s' is no IP address, such as 10.1.0.1 or fd00:1::1", text);
}

std::string WhyNoPrefix(const std::string& text) {
  return ParseIpPrefix(text)
             ? ""
             : absl::StrFormat("'%s' is no address with the length of its subnet, such as 10.1.0.5/24 or fd00:1::5/64", text);
}

template <typename Request>
void AddDryRun(CLI::App& command, Request& request) {
  command.add_flag_callback(
      "--dry-run", [&request] { request.set_validate_only(true); }, "Only say what would be done");
}

// Sends `request` when the command is chosen; its options have written into it.
template <typename Method, typename Request>
void OnCommand(CLI::App& command, const AskService& ask, Method method, std::shared_ptr<Request> request) {
  command.callback([ask, method, request] {
    ask([method, request](const GlobalOptions& global, Console& console) { return Do(method, *request, global, console); });
  });
}

// The options write into the request, which the command's callback keeps alive.
void AddDefinition(CLI::App& command, storage::v1::StorageVlan& vlan) {
  const CLI::Validator is_address(WhyNoAddress, "");
  const CLI::Validator is_prefix(WhyNoPrefix, "");
  const auto number = [&command](const std::string& name, uint32_t least, uint32_t most, const std::string& description,
                                 const std::function<void(uint32_t)>& set) {
    return command.add_option_function<uint32_t>(name, set, description)->check(CLI::Range(least, most))->type_name("N");
  };
  command.add_option("STORAGE", *vlan.mutable_storage_id(), "The storage; it need not be in storage.cfg yet")->required();
  command.add_option("--base", *vlan.mutable_base(), "What it rides on: a network card, a bond, a bridge")
      ->type_name("IFACE")
      ->required();
  number("--tag", 1, 4094, "With the base it makes the name of the link, <base>.<tag>", [&vlan](uint32_t tag) {
    vlan.set_tag(tag);
  })->required();
  command.add_option("--address", *vlan.mutable_address(), "The node's own in the VLAN, with the length of the subnet")
      ->type_name("ADDRESS/LENGTH")
      ->check(is_prefix)
      ->required();
  number("--mtu", 68, 65535, "Bytes, not above the base's (default: the base's)", [&vlan](uint32_t mtu) { vlan.set_mtu(mtu); });
  CLI::Option* gateway = command.add_option("--gateway", *vlan.mutable_gateway(), "Next hop to --route, never the default route")
                             ->type_name("ADDRESS")
                             ->check(is_address);
  const auto set_subnets = [&vlan](const std::vector<std::string>& subnets) {
    *vlan.mutable_routed_subnets() = {subnets.begin(), subnets.end()};
  };
  CLI::Option* route = command
                           .add_option_function<std::vector<std::string>>(
                               "--route", set_subnets, "Subnets that are reached through --gateway, comma separated; repeatable")
                           ->type_name("SUBNET,...")
                           ->delimiter(',')
                           ->check(is_prefix);
  gateway->needs(route);
  route->needs(gateway);
  command.add_flag_callback(
      "--isolate", [&vlan] { vlan.set_isolated(true); }, "Let only its own and the routed subnets be reached through it");
}

void AddCreateCommand(CLI::App& vlan, const AskService& ask) {
  auto request = std::make_shared<storage::v1::CreateStorageVlanRequest>();
  CLI::App* command = vlan.add_subcommand("create", "Define the VLAN of a storage, for good, and make it");
  AddDefinition(*command, *request->mutable_vlan());
  AddDryRun(*command, *request);
  command->footer(R"(Examples:
  pvebus storage vlan create nas --base vmbr0 --tag 100 --address 10.1.0.5/24 --dry-run
  pvebus storage vlan create nas --base bond0 --tag 100 --address 10.1.0.5/24 --mtu 9000 --isolate
  pvebus storage vlan create san --base eno2 --tag 7 --address fd00:7::5/64 --gateway fd00:7::1 --route fd00:8::/64

An equal link that exists is adopted; one that differs is refused, and nothing is changed. The same definition again puts right
what differs. From then on storage-service keeps it as defined, through restarts and deletions by others. StorageVlanCreated is
published when a link came into being.

Exit status: 0 it is there, 2 wrong usage, 3 refused (nothing is left half made), or storage-service is unreachable.)");
  OnCommand(*command, ask, &Stub::CreateStorageVlan, request);
}

void AddDeleteCommand(CLI::App& vlan, const AskService& ask) {
  auto request = std::make_shared<storage::v1::DeleteStorageVlanRequest>();
  CLI::App* command = vlan.add_subcommand("delete", "Take away what was made of the VLAN of a storage, and its definition");
  command->add_option("STORAGE", *request->mutable_storage_id(), "The storage")->required();
  AddDryRun(*command, *request);
  command->footer(R"(Examples:
  pvebus storage vlan delete nas --dry-run
  pvebus storage vlan delete nas

A link that was there before it was defined stays.

Exit status: 0 it is gone, 2 wrong usage, 3 refused, or storage-service is unreachable.)");
  OnCommand(*command, ask, &Stub::DeleteStorageVlan, request);
}

void AddListCommand(CLI::App& vlan, const AskService& ask) {
  CLI::App* command = vlan.add_subcommand("list", "The VLANs as they are defined, and how the kernel differs");
  command->footer(R"(Examples:
  pvebus storage vlan list
  pvebus storage vlan list --output json | jq '.vlans[] | select(.in_order | not)'

CONTESTED: somebody keeps deleting it, so it is put right only by the next NetworkApplied or `pvebus storage reconcile`.

Exit status: 0 listed, whatever the states, 2 wrong usage, 3 storage-service is unreachable or refused.)");
  command->callback([ask] { ask(List); });
}

}  // namespace

void AddStorageVlanCommands(CLI::App& storage, const AskService& ask) {
  CLI::App* vlan = storage.add_subcommand("vlan", "The VLANs that carry storages: create, delete, list them");
  vlan->require_subcommand(1);
  AddCreateCommand(*vlan, ask);
  AddDeleteCommand(*vlan, ask);
  AddListCommand(*vlan, ask);
  vlan->footer(R"(Examples:
  pvebus storage vlan list
  pvebus storage vlan create nas --base vmbr0 --tag 100 --address 10.1.0.5/24
  pvebus storage vlan delete nas)");
}

void AddStorageReconcileCommand(CLI::App& storage, const AskService& ask) {
  auto request = std::make_shared<storage::v1::ReconcileStorageVlansRequest>();
  CLI::App* command = storage.add_subcommand("reconcile", "Compare the VLANs of storages with the kernel and put them right");
  command->add_option("STORAGE", *request->mutable_storage_id(), "Only of this one (default: all)");
  AddDryRun(*command, *request);
  command->footer(R"(Examples:
  pvebus storage reconcile --dry-run
  pvebus storage reconcile
  pvebus storage reconcile nas --output json

It happens by itself on every NetworkApplied, and when somebody deletes a link.

Exit status: 0 all are in order now, 1 one of them FAILED, 2 wrong usage, 3 storage-service is unreachable or refused.)");
  OnCommand(*command, ask, &Stub::ReconcileStorageVlans, request);
}

}  // namespace pvebus::cli
