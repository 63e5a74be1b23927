#include "network-service/service_parts.h"

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "sdk/client/channel.h"

namespace pvebus::network {
namespace {

// Applies, reverts and those who ask for them again: all but one are refused or wait for the one.
constexpr int kChangingThreads = 4;
constexpr int kReadingThreads = 2;

// One text per boot of the node.
std::string BootId() {
  std::string id;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), id);
  return id;
}

NodeOfMachine::Options NodeOptions(const Flags& flags) {
  return {
      .etc_network = flags.etc_network,
      .ifupdown = {
          .ifreload = flags.ifreload, .ifup = flags.ifup, .lock_file = flags.ifupdown_lock, .reload_limit = flags.reload_limit}};
}

}  // namespace

absl::StatusOr<std::unique_ptr<ServiceParts>> ServiceParts::Make(const ServiceSurroundings& surroundings) {
  auto store = SqliteApplyStore::Open(surroundings.service.data_dir, surroundings.network.history_limit);
  if (!store.ok()) return store.status();
  auto parts = std::make_unique<ServiceParts>(surroundings, *std::move(store));
  if (surroundings.network.watch_files) {
    if (absl::Status status = parts->WatchFiles(surroundings.network); !status.ok()) return status;
  }
  return parts;
}

ServiceParts::ServiceParts(const ServiceSurroundings& surroundings, std::unique_ptr<SqliteApplyStore> store)
    : store_(std::move(store)),
      channel_(client::Connect(surroundings.bus.bus)),
      publisher_(channel_, surroundings.bus.instance_id, surroundings.clock),
      notices_(*store_),
      outbox_(notices_, publisher_, surroundings.logger),
      node_(NodeOptions(surroundings.network)),
      applier_(node_, *store_, surroundings.clock, surroundings.logger,
               {.boot_id = BootId(),
                .staged_path = surroundings.network.etc_network + "/interfaces.new",
                .new_id = [this] { return client::RandomId(random_); },
                .on_deadline = [this] { upkeep_.OnDeadline(); },
                .on_notice = [this] { outbox_.Wake(); },
                .on_folders =
                    [this](std::vector<std::string> folders) {
                      if (watch_) watch_->SetFolders(std::move(folders));
                    }}),
      publications_(*store_, outbox_, publisher_),
      changing_(kChangingThreads),
      confirming_(1),
      reading_(kReadingThreads),
      rpc_({.applier = applier_,
            .node = node_,
            .store = *store_,
            .publications = publications_,
            .changing = changing_,
            .confirming = confirming_,
            .reading = reading_}),
      upkeep_(applier_, surroundings.logger) {}

ServiceParts::~ServiceParts() {
  upkeep_.Stop();
  watch_.reset();
}

absl::Status ServiceParts::WatchFiles(const Flags& flags) {
  auto watch = ConfigurationWatch::Create({.etc_network = flags.etc_network}, [this] { upkeep_.OnFiles(); });
  if (!watch.ok()) return watch.status();
  watch_ = *std::move(watch);
  return absl::OkStatus();
}

void ServiceParts::Start() { upkeep_.Start(); }

}  // namespace pvebus::network
