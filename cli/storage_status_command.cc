#include <chrono>
#include <memory>

#include "cli/connection.h"
#include "cli/error_output.h"
#include "cli/proto_json.h"
#include "cli/storage_commands.h"
#include "cli/storage_status_output.h"
#include "pvebus/storage/v1/storage_service.grpc.pb.h"

namespace pvebus::cli {
namespace {

using storage::v1::StorageService;

// A check waits for servers that do not answer.
constexpr std::chrono::seconds kCheckTimeout{30};

struct StatusArguments {
  std::string storage_id;
  bool refresh = false;
  bool check = false;
};

bool IsFine(const storage::v1::Storage& storage) {
  return storage.state() == storage::v1::STORAGE_STATE_ACTIVE || storage.state() == storage::v1::STORAGE_STATE_DISABLED;
}

int List(const GlobalOptions& global, Console& console) {
  storage::v1::ListStoragesResponse all;
  const absl::Status status = ForEachPage<StorageService>(&StorageService::Stub::ListStorages, storage::v1::ListStoragesRequest(),
                                                          global, [&](auto& page) {
                                                            all.MergeFrom(page);
                                                            return true;
                                                          });
  if (!status.ok()) return PrintRefusal(status, global, console);
  all.clear_next_page_token();
  Show(all, console, [&](std::ostream& out) {
    PrintStorageStatuses(all.storages(), std::chrono::system_clock::now(), out);
    PrintStorageConfigProblems(all, console.err);
  });
  return kAllSucceeded;
}

int ShowLastCheck(const StatusArguments& arguments, const GlobalOptions& global, Console& console) {
  storage::v1::GetStorageStatusRequest request;
  request.set_storage_id(arguments.storage_id);
  const auto response = Ask<StorageService>(&StorageService::Stub::GetStorageStatus, request, global, console);
  if (!response.ok()) return PrintRefusal(response.status(), global, console);
  Show(*response, console,
       [&](std::ostream& out) { PrintStorageStatus(response->storage(), std::chrono::system_clock::now(), out); });
  return arguments.check && !IsFine(response->storage()) ? kListenerFailed : kAllSucceeded;
}

int CheckNow(const StatusArguments& arguments, GlobalOptions global, Console& console) {
  global.timeout = global.TimeoutOr(kCheckTimeout);
  storage::v1::RefreshStorageStatusRequest request;
  if (!arguments.storage_id.empty()) request.add_storage_ids(arguments.storage_id);
  const auto response = Ask<StorageService>(&StorageService::Stub::RefreshStorageStatus, request, global, console);
  if (!response.ok()) return PrintRefusal(response.status(), global, console);
  Show(*response, console, [&](std::ostream& out) {
    const SystemTime now = std::chrono::system_clock::now();
    const bool one = !arguments.storage_id.empty() && response->refreshed_size() == 1;
    one ? PrintRefreshedStorage(response->refreshed(0), now, out) : PrintRefreshedStorages(response->refreshed(), now, out);
  });
  bool all_fine = true;
  for (const storage::v1::RefreshedStorage& refreshed : response->refreshed()) all_fine = all_fine && IsFine(refreshed.storage());
  return arguments.check && !all_fine ? kListenerFailed : kAllSucceeded;
}

int ShowStatus(const StatusArguments& arguments, const GlobalOptions& global, Console& console) {
  return arguments.refresh ? CheckNow(arguments, global, console) : ShowLastCheck(arguments, global, console);
}

}  // namespace

void AddStorageListCommand(CLI::App& storage, const AskService& ask) {
  CLI::App* command = storage.add_subcommand("list", "The storages of storage.cfg, and how they stood at their last check");
  command->footer(R"(Examples:
  pvebus storage list
  pvebus storage list --output json | jq -r '.storages[] | select(.state == "STORAGE_STATE_ERROR") | .storage_id'

A storage is ACTIVE when it is enabled here, its server answers, and it is mounted or logged in where its type asks for it;
INACTIVE when its server answers but it is not mounted; ERROR when its server cannot be reached; DISABLED when storage.cfg disables
it or it is not for this node; UNKNOWN before its first check. VIA is the interface that packets to it leave through and the VLAN
that carries them, LATENCY the slowest server that answered. What is wrong in storage.cfg is on standard error, with --output json
in `warnings` and `config_error`.

Exit status: 0 listed, whatever the states, 2 wrong usage, 3 storage-service is unreachable or refused.)");
  command->callback([ask] { ask(List); });
}

void AddStorageStatusCommand(CLI::App& storage, const AskService& ask) {
  auto arguments = std::make_shared<StatusArguments>();
  CLI::App* command =
      storage.add_subcommand("status", "Everything about one storage: its servers, the way to them; check it now");
  command->add_option("STORAGE", arguments->storage_id, "Its id (default, with --refresh: all)");
  command->add_flag("--refresh", arguments->refresh, "Check now, and say what changed");
  command->add_flag("--check", arguments->check, "Exit status 1 when a storage is neither ACTIVE nor DISABLED");
  command->footer(R"(Examples:
  pvebus storage status nas
  pvebus storage status nas --refresh
  pvebus storage status --refresh --check        # for monitoring: checks all of them

--refresh waits for servers that do not answer (--timeout bounds it, default 30s).

Exit status: 0 shown, 1 with --check: a storage is neither ACTIVE nor DISABLED, 2 wrong usage, 3 storage-service is unreachable or
refused.)");
  command->callback([arguments, ask] {
    if (arguments->storage_id.empty() && !arguments->refresh) {
      throw CLI::ValidationError("STORAGE is required: `pvebus storage list` shows them; --refresh checks all");
    }
    ask([arguments](const GlobalOptions& global, Console& console) { return ShowStatus(*arguments, global, console); });
  });
}

}  // namespace pvebus::cli
