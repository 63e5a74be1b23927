#include "storage-service/service_parts.h"

#include <array>
#include <utility>

#include "absl/strings/escaping.h"
#include "storage-service/core/storage_config.h"
#include "storage-service/rpc/storage_event_logger.h"
#include "storage-service/rpc/storage_status_refresher.h"
#include "storage-service/rpc/storage_vlan_reconciler.h"

namespace pvebus::storage {
namespace {

constexpr int kCheckingThreads = 4;
// How long a hook waits for the bus to take what it has to tell.
constexpr std::chrono::seconds kAnnounceLimit{5};

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Service>> ServiceParts::Assemble(const hook_service::HookProgramParts& program,
                                                                      const Flags& flags) {
  auto store = SqliteStorageStore::Open(program.service.data_dir);
  if (!store.ok()) return store.status();
  const auto parts = std::make_shared<ServiceParts>(program, flags, *std::move(store));
  if (absl::Status status = parts->Start(program, flags); !status.ok()) return status;
  return std::shared_ptr<grpc::Service>(parts, &parts->rpc_);
}

ServiceParts::ServiceParts(const hook_service::HookProgramParts& program, const Flags& flags, std::unique_ptr<StorageStore> store)
    : logger_(program.logger),
      store_(std::move(store)),
      prober_({.limit = flags.probe_limit}, program.clock),
      probe_(prober_, network_, {}, program.clock),
      notices_(*store_),
      announcer_(notices_, program.publisher, program.logger),
      board_(program.hooks.node, probe_, *store_, program.clock, [this] { announcer_.Wake(); }),
      vlans_(network_, isolation_, *store_, program.clock, [this] { announcer_.Wake(); }),
      checking_(kCheckingThreads),
      changing_(1),
      rpc_(program.chain, {board_, vlans_, checking_, changing_}),
      upkeep_({.refresh = [this](const std::vector<std::string>& storage_ids,
                                 std::stop_token stop) { return board_.Refresh(storage_ids, {}, std::move(stop)); },
               .network_storages = [this] { return NetworkStorages(); },
               .repair_vlans = [this] { return vlans_.OnLinksChanged(); }},
              {.refresh_interval = flags.refresh_interval, .repair_delay = flags.repair_delay}, program.logger) {}

absl::Status ServiceParts::Start(const hook_service::HookProgramParts& program, const Flags& flags) {
  if (absl::Status status = board_.Restore(); !status.ok()) return status;
  if (const absl::Status status = vlans_.Restore(); !status.ok()) {
    logger_.Warning("vlans=unfinished message=\"%s\"", absl::CEscape(status.message()));
  }
  if (absl::Status status = AddHooks(program, flags); !status.ok()) return status;
  auto watch = NetlinkWatch::Create([this] { upkeep_.OnLinksChanged(); });
  if (!watch.ok()) return watch.status();
  network_watch_ = *std::move(watch);
  // What changed while nobody watched.
  upkeep_.RepairNow();
  announcer_.Wake();
  config_watch_ = std::make_unique<ConfigWatch>(flags.storage_config, [this](const auto& text) { OnConfig(text); });
  return absl::OkStatus();
}

absl::Status ServiceParts::AddHooks(const hook_service::HookProgramParts& program, const Flags& flags) {
  const auto announce = [this](std::stop_token stop) {
    return announcer_.PublishNow(std::chrono::steady_clock::now() + kAnnounceLimit, std::move(stop));
  };
  const auto reconcile = [this](bool dry_run, const std::string& parent_event_id) {
    return vlans_.Reconcile("", dry_run, parent_event_id);
  };
  const auto refresh = [this](const std::vector<std::string>& storage_ids, const std::string& parent_event_id,
                              std::stop_token stop) { return board_.Refresh(storage_ids, parent_event_id, std::move(stop)); };
  for (hooks::Hook& hook :
       std::array{StorageEventLogger(program.logger), StorageVlanReconciler({.reconcile = reconcile, .announce = announce}),
                  StorageStatusRefresher({.storages = [this] { return board_.List().storages; },
                  .refresh = refresh,
                  .announce = announce,
                  .probe_limit = flags.probe_limit})}) {
    if (absl::Status status = program.chain.Add(std::move(hook)); !status.ok()) return status;
  }
  return absl::OkStatus();
}

void ServiceParts::OnConfig(const absl::StatusOr<std::string>& text) {
  if (!text.ok()) {
    logger_.Warning("storage_config=unreadable message=\"%s\"", absl::CEscape(text.status().message()));
    board_.SetConfigError(std::string(text.status().message()));
    return;
  }
  StorageConfig config = ParseStorageConfig(*text);
  logger_.Info("storage_config=read storages=%d warnings=%d", config.storages.size(), config.warnings.size());
  for (const StorageWarning& warning : config.warnings) {
    logger_.Warning("storage_config=warning line=%d storage=%s message=\"%s\"", warning.line, absl::CEscape(warning.storage_id),
                    absl::CEscape(warning.message));
  }
  board_.SetConfigError("");
  upkeep_.OnConfigChanged(board_.SetConfig(std::move(config)));
}

std::vector<std::string> ServiceParts::NetworkStorages() const {
  std::vector<std::string> storage_ids;
  for (const StorageStatus& status : board_.List().storages) {
    if (status.storage.network) storage_ids.push_back(status.storage.storage_id);
  }
  return storage_ids;
}

}  // namespace pvebus::storage
