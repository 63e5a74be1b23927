#include "cli/error_output.h"

#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "cli/duration.h"
#include "cli/table.h"
#include "sdk/base/error.h"

namespace pvebus::cli {
namespace {

const std::map<std::string, std::string>& AdviceByReason() {
  static const auto& advice = *new std::map<std::string, std::string>{
      {"LISTENER_NAME_IN_USE", "choose another name, wait for the lease to end, or take the name over with --takeover"},
      {"LISTENER_IS_DURABLE", "listen with --durable, or under another name"},
      {"LISTENER_NOT_FOUND", "`pvebus listeners` shows the names there are"},
      {"LISTENER_NOT_EMPTY",
       "wait until it has settled everything, or use --force: its unsettled events and dead letters are then given up"},
      {"REQUIRED_LISTENER_MISSING", "`pvebus listeners` shows who is there; start the listener and publish again"},
      {"EVENT_NOT_FOUND", "check the id; the journal may no longer hold the event (`pvebus journal status`)"},
      {"EVENT_LOST",
       "`pvebus journal status` lists what was lost; a backup of the bus's data directory, or journal.db.damaged in it, may have "
       "it"},
      {"EVENT_ID_CONFLICT", "nothing was stored; another event has this id: leave --event-id out, or choose a new one"},
      {"REQUEST_ID_CONFLICT", "nothing was stored; another event was published with this --request-id: choose a new one"},
      {"SEQUENCE_COMPACTED", "begin with --from earliest (or --to earliest), or at the first_sequence named above"},
      {"SEQUENCE_MISMATCH",
       "nothing was stored; look at what was published meanwhile (`pvebus watch --from SEQUENCE`), then publish again"},
      {"PARENT_UNKNOWN", "nothing was stored; --parent must be an event that is still in the journal"},
      {"HOP_LIMIT_EXCEEDED", "nothing was stored; the listeners answer each other's events in a circle"},
      {"SESSION_SUPERSEDED", "another instance took the name over; use another name to listen beside it"},
      {"LISTENER_EVICTED", "an operator took the name away; listen again when that is settled"},
      {"DRAINING", "the server is shutting down; try again when it is back"},
      {"JOURNAL_FULL", "a listener that is behind holds the journal; see `pvebus listeners` and resume, seek or delete it"},
      {"PUBLISH_BACKPRESSURE", "the bus is busy; try again after the delay"},
      {"TOO_MANY_LISTENERS", "delete listeners that are not needed: `pvebus listeners delete NAME`"},
      {"JOURNAL_DAMAGED",
       "`pvebus journal status` names what is damaged; what the journal holds can still be read: `pvebus events`"},
      {"REPLAY_TOO_LARGE", "replay it in parts: --from and --until, or only what is needed: --filter, --type"},
      {"REDRIVE_RUNNING", "wait until it has ended: REDRIVE is then empty in `pvebus dead-letters list`"},
      {"DEAD_LETTER_NOT_FOUND", "`pvebus dead-letters list` shows those there are"},
      {"STORAGE_NOT_FOUND", "`pvebus storage list` shows the storages of storage.cfg, and what is wrong in it"},
      {"VLAN_NOT_FOUND", "`pvebus storage vlan list` shows the VLANs that are defined"},
      {"VLAN_EXISTS", "`pvebus storage vlan list` shows how it is defined; to change it, delete it and create it anew"},
      {"VLAN_CONFLICT", "choose another --base or --tag, or remove the link that is in the way (`ip -d link show`)"},
      {"VLAN_IN_USE", "`pvebus storage vlan list` shows what rides on it"},
      {"BASE_MISSING", "`ip link` shows the interfaces there are"},
      {"MTU_EXCEEDS_BASE", "choose a smaller --mtu, or raise that of the base first"},
      {"LINK_NAME_TOO_LONG", "the kernel takes 15 bytes for <base>.<tag>: choose a --base with a shorter name"},
      {"NET_ADMIN_MISSING", "let storage-service run with CAP_NET_ADMIN, as deploy/systemd/pvebus-storage.service does"},
      {"KERNEL_SUPPORT_MISSING", "load what the kernel lacks (`modprobe 8021q`, `modprobe nf_tables`)"},
      {"CONTAINER_NOT_FOUND",
       "`pct list` shows the containers of this node; container-service answers for those of its own node"},
      {"INTERFACE_INVALID", "`pvebus container network VMID` shows the interfaces; only events about one take --interface netN"},
      {"RUN_BACKPRESSURE", "others are being run; try again when they have ended (`pvebus container executions`)"},
      {"HOOK_NOT_FOUND", "`pvebus container hooks` shows the hooks of container-service"},
      {"NOTHING_STAGED", "write the new configuration to interfaces.new, then `pvebus network pending`"},
      {"STAGED_INVALID", "`pvebus network pending` shows all that is wrong, with its line; nothing was touched"},
      {"SYNTAX_CHECK_FAILED", "mend interfaces.new; nothing was touched"},
      {"ETAG_MISMATCH", "look again, and use the etag of now: `pvebus network pending`, `pvebus migration status`"},
      {"CONFIRMATION_PENDING", "`pvebus network confirm` keeps what was applied, `pvebus network revert` takes it back"},
      {"APPLY_IN_PROGRESS", "`pvebus network history APPLY` shows what it is doing"},
      {"CONFIGURATION_CHANGED", "`pvebus network pending` shows what it is now"},
      {"IFUPDOWN2_BUSY", "see what it is doing: `ps -C ifreload,ifup -f`; try again when it is done"},
      {"CONFIGURATION_LOCKED", "try again when Proxmox VE, or whoever edits the network, is done"},
      {"RECOVERY_PENDING", "see what network-service logs: `journalctl -u pvebus-network`"},
      {"IFUPDOWN2_MISSING", "`apt install ifupdown2`; it replaces ifupdown"},
      {"PRIVILEGES_MISSING", "let network-service run as root, as deploy/systemd/pvebus-network.service does"},
      {"NOTHING_TO_CONFIRM", "`pvebus network history` shows what was applied, and how it ended"},
      {"NOTHING_TO_REVERT", "`pvebus network history` shows what was applied, and how it ended"},
      {"APPLY_NOT_FOUND", "`pvebus network history` shows the applies there are"},
      {"APPLY_NOT_IN_FORCE", "`pvebus network history` shows what became of it"},
      {"APPLY_SUPERSEDED", "`pvebus network history` shows what changed since"},
      {"RELOAD_FAILED", "mend interfaces.new, which is staged again: `pvebus network pending`"},
      {"RELOAD_TIMED_OUT",
       "mend interfaces.new, which is staged again, or give ifreload longer: --reload-limit of network-service"},
      {"NOT_AS_CONFIGURED", "look at what ifreload said: `pvebus network history APPLY`; interfaces.new is staged again"},
      {"UNDO_FAILED",
       "see to the node's network by hand: `ifreload -a -v`, `ip link`; `pvebus network history` says what was tried"},
      {"PHASE_JUMP", "go step by step: `pvebus migration status` shows the next phase; or use --force with --reason"},
      {"GATES_CLOSED", "`pvebus migration status` shows what is missing; wait for it, or use --force with --reason"},
      {"REASON_MISSING", "say why with --reason: it stays in `pvebus migration history`"},
      {"PHASE_CHANGED", "`pvebus migration history` shows who changed the phase, and why; then decide again"},
      {"PHASE_PENDING", "`pvebus result EVENT` shows where the event is; `pvebus migration status` shows the phase"},
      {"BUS_UNAVAILABLE", "see to the bus: `pvebus health`; then try again"},
      {"METHOD_INVALID", "methods look like: GET, PUT, POST, DELETE"},
      {"PATH_INVALID", "paths look like: /api2/json/nodes/pve1/network, or nodes/pve1/network"},
      {"FILTER_INVALID", "filters look like: event_type = container_started AND attributes.site : \"east\""},
      {"EVENT_TOO_LARGE", "nothing was stored; publish a reference to the data instead of the data"},
  };
  return advice;
}

nlohmann::ordered_json ToJsonDocument(const absl::Status& error, const Server& server) {
  nlohmann::ordered_json document = {{"code", absl::StatusCodeToString(error.code())},
                                     {"reason", ErrorReason(error)},
                                     {"message", std::string(error.message())}};
  document["metadata"] = nlohmann::ordered_json(ErrorMetadata(error));
  if (const auto delay = RetryDelay(error)) document["retry_delay_ms"] = delay->count();
  document["next"] = Advice(error, server);
  return {{"error", document}};
}

}  // namespace

std::string AdviceOn(const std::string& reason) {
  const auto it = AdviceByReason().find(reason);
  return it == AdviceByReason().end() ? "" : it->second;
}

std::string Advice(const absl::Status& error, const Server& server) {
  if (std::string advice = AdviceOn(ErrorReason(error)); !advice.empty()) return advice;
  switch (error.code()) {
    case absl::StatusCode::kUnavailable:
      return absl::StrFormat("is %s running there? Name another address with %s; `bash deploy/run.sh` starts everything to try",
                             server.name, server.named_by);
    case absl::StatusCode::kDeadlineExceeded:
      return "allow more with --timeout, or " + server.when_late;
    case absl::StatusCode::kUnimplemented:
      return absl::StrFormat("the server there does not offer this: is it %s, and as new as this program?", server.name);
    default:
      return "";
  }
}

int PrintRefusal(const absl::Status& error, const GlobalOptions& global, Console& console) {
  if (console.json()) {
    console.err << ToJsonDocument(error, global.server).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
    return kRefused;
  }
  const std::string reason = ErrorReason(error);
  const std::string text = Printable(std::string(error.message()));
  // Without a reason it was not the server that spoke.
  if (reason.empty() && error.code() == absl::StatusCode::kUnavailable) {
    console.err << absl::StrFormat("pvebus: %s at %s is unreachable\n  %s\n", global.server.name, global.server.address, text);
  } else if (reason.empty() && error.code() == absl::StatusCode::kDeadlineExceeded) {
    console.err << absl::StrFormat("pvebus: no answer from %s at %s in time\n", global.server.name, global.server.address);
  } else {
    const std::string code = absl::StatusCodeToString(error.code());
    console.err << absl::StrFormat("pvebus: refused: %s%s%s%s%s\n", code, reason.empty() ? "" : " ", reason,
                                   text.empty() ? "" : ": ", text);
  }
  const std::string_view message(error.message().data(), error.message().size());
  for (const auto& [key, value] : ErrorMetadata(error)) {
    if (message.find(value) != std::string_view::npos) continue;  // said already
    console.err << absl::StrFormat("  %s: %s\n", Printable(key), Printable(value));
  }
  if (const auto delay = RetryDelay(error)) console.err << absl::StrFormat("  try again in: %s\n", FormatDuration(*delay));
  if (const std::string advice = Advice(error, global.server); !advice.empty())
    console.err << absl::StrFormat("  next: %s\n", advice);
  return kRefused;
}

int PrintUsageError(const std::string& message, Console& console) {
  console.err << absl::StrFormat("pvebus: %s\n", Printable(message));
  return kUsageError;
}

}  // namespace pvebus::cli
