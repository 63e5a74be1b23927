// `pvebus network pending`, `confirm` and `history`: what is answered at once.
#include <memory>

#include "absl/strings/str_format.h"
#include "cli/connection.h"
#include "cli/error_output.h"
#include "cli/network_apply_output.h"
#include "cli/network_commands.h"
#include "cli/options.h"
#include "cli/proto_json.h"
#include "cli/table.h"
#include "pvebus/network/v1/network_service.grpc.pb.h"

namespace pvebus::cli {
namespace {

using network::v1::NetworkService;
using Stub = NetworkService::Stub;

constexpr uint64_t kDefaultCount = 20;

void PrintPending(const network::v1::GetPendingChangesResponse& pending, std::ostream& out) {
  if (pending.state() == network::v1::PENDING_STATE_NONE) {
    out << "nothing is staged: there is no interfaces.new\n";
    return;
  }
  if (pending.state() == network::v1::PENDING_STATE_READY) PrintChanges(pending.changes(), out);
  for (size_t begin = 0; begin < pending.unified_diff().size();) {
    if (begin == 0) out << '\n';
    const size_t end = std::min(pending.unified_diff().find('\n', begin), pending.unified_diff().size());
    out << Printable(pending.unified_diff().substr(begin, end - begin)) << '\n';
    begin = end + 1;
  }
  if (pending.state() == network::v1::PENDING_STATE_READY) {
    out << absl::StrFormat("\netag %s: pvebus network apply --etag %s --confirm 60s\n", pending.etag(), pending.etag());
  }
}

int ShowPending(const GlobalOptions& global, Console& console) {
  const auto pending = Ask<NetworkService>(&Stub::GetPendingChanges, network::v1::GetPendingChangesRequest(), global, console);
  if (!pending.ok()) return PrintRefusal(pending.status(), global, console);
  if (!console.json()) PrintDiagnostics(pending->diagnostics(), console.err);
  Show(*pending, console, [&](std::ostream& out) { PrintPending(*pending, out); });
  if (pending->state() != network::v1::PENDING_STATE_REFUSED) return kAllSucceeded;
  console.err << "pvebus: what is staged cannot be applied; mend interfaces.new\n";
  return kListenerFailed;
}

int Confirm(const network::v1::ConfirmApplyRequest& request, const GlobalOptions& global, Console& console) {
  const auto response = Ask<NetworkService>(&Stub::ConfirmApply, request, global, console);
  if (!response.ok()) return PrintRefusal(response.status(), global, console);
  Show(response->apply(), console, [&](std::ostream& out) { PrintApply(response->apply(), out); });
  return kAllSucceeded;
}

int ShowOne(const std::string& apply_id, const GlobalOptions& global, Console& console) {
  network::v1::ListAppliesRequest request;
  request.set_apply_id(apply_id);
  const auto response = Ask<NetworkService>(&Stub::ListApplies, request, global, console);
  if (!response.ok()) return PrintRefusal(response.status(), global, console);
  for (const network::v1::Apply& apply : response->applies()) {
    Show(apply, console, [&](std::ostream& out) {
      PrintApply(apply, out);
      PrintReloadOutput(apply, out);
    });
  }
  return kAllSucceeded;
}

int ShowHistory(uint64_t count, const GlobalOptions& global, Console& console) {
  network::v1::ListAppliesResponse all;
  network::v1::ListAppliesRequest request;
  request.set_page_size(static_cast<int32_t>(std::min<uint64_t>(count, kPageSize)));
  const absl::Status status = ForEachPage<NetworkService>(&Stub::ListApplies, request, global, [&](auto& page) {
    all.MergeFrom(page);
    return static_cast<uint64_t>(all.applies_size()) < count;
  });
  if (!status.ok()) return PrintRefusal(status, global, console);
  while (static_cast<uint64_t>(all.applies_size()) > count) all.mutable_applies()->RemoveLast();
  all.clear_next_page_token();
  Show(all, console, [&](std::ostream& out) { PrintApplies(all.applies(), out); });
  return kAllSucceeded;
}

}  // namespace

void AddNetworkPendingCommand(CLI::App& network, const AskService& ask) {
  CLI::App* command = network.add_subcommand("pending", "What is staged: which interfaces would change, what is wrong with it");
  command->footer(R"(Examples:
  pvebus network pending
  pvebus network pending --output json | jq -r '.changes[].description'

Staged is what stands in /etc/network/interfaces.new, where Proxmox VE puts changes of the network until they are applied. Errors
and warnings are on standard error, as FILE:LINE: error: MESSAGE, with --output json in `diagnostics`.

Exit status: 0 nothing is staged or it can be applied, 1 it has errors, 2 wrong usage, 3 network-service is unreachable or
refused.)");
  command->callback([ask] { ask(ShowPending); });
}

void AddNetworkConfirmCommand(CLI::App& network, const AskService& ask) {
  auto request = std::make_shared<network::v1::ConfirmApplyRequest>();
  CLI::App* command = network.add_subcommand("confirm", "Keep what was applied with --confirm");
  command->add_option("APPLY", *request->mutable_apply_id(), "Only if it is this one (default: the one that awaits it)");
  command->add_flag_callback(
      "--dry-run", [request] { request->set_validate_only(true); }, "Only check");
  command->footer(R"(Examples:
  pvebus network confirm
  pvebus network confirm 0f3a5c1e9b7d4826a1c05e7f9d3b2a64

Exit status: 0 it is kept, 2 wrong usage, 3 refused (nothing awaits it, or the old network is back), or network-service is
unreachable.)");
  command->callback([request, ask] {
    ask([request](const GlobalOptions& global, Console& console) { return Confirm(*request, global, console); });
  });
}

void AddNetworkHistoryCommand(CLI::App& network, const AskService& ask) {
  struct Arguments {
    std::string apply_id;
    uint64_t count = kDefaultCount;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = network.add_subcommand("history", "What was applied, by whom, how it ended, and what the listeners said");
  command->add_option("APPLY", arguments->apply_id, "All there is about this one");
  AddCount(*command, "--count", arguments->count, "At most so many, the newest (default 20)");
  command->footer(R"(Examples:
  pvebus network history
  pvebus network history 0f3a5c1e9b7d4826a1c05e7f9d3b2a64     # changes, ifreload's output, a row per listener
  pvebus network history --count 1000 --output json | jq '.applies[] | select(.state == "APPLY_STATE_FAILED")'

Sources: PENDING was staged and applied, REVERT took an apply back, SDN is Proxmox VE writing interfaces.d/sdn, FILE somebody else
writing the files, RESTART what had changed while network-service was away.

Exit status: 0 listed, 2 wrong usage, 3 network-service is unreachable or refused.)");
  command->callback([arguments, ask] {
    ask([arguments](const GlobalOptions& global, Console& console) {
      return arguments->apply_id.empty() ? ShowHistory(arguments->count, global, console)
                                         : ShowOne(arguments->apply_id, global, console);
    });
  });
}

}  // namespace pvebus::cli
