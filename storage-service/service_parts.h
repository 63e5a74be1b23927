#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/impl/service_type.h"
#include "sdk/base/executor.h"
#include "sdk/client/outbox.h"
#include "sdk/hook_service/hook_main.h"
#include "sdk/netlink/netlink_watch.h"
#include "storage-service/core/storage_board.h"
#include "storage-service/core/storage_vlan_manager.h"
#include "storage-service/flags.h"
#include "storage-service/host/config/config_watch.h"
#include "storage-service/host/network/netlink_network.h"
#include "storage-service/host/network/nft_isolation.h"
#include "storage-service/host/probe/measured_storages.h"
#include "storage-service/host/probe/tcp_prober.h"
#include "storage-service/rpc/notice_outbox.h"
#include "storage-service/rpc/storage_rpc.h"
#include "storage-service/store/sqlite_storage_store.h"
#include "storage-service/upkeep/storage_upkeep.h"

namespace pvebus::storage {

// All parts of storage-service, put together: what each needs stands above it, and so outlives it. Part of main.
class ServiceParts {
 public:
  // Opens the store, takes up what an earlier process left, adds the hooks and begins to watch.
  static absl::StatusOr<std::shared_ptr<grpc::Service>> Assemble(const hook_service::HookProgramParts& program,
                                                                 const Flags& flags);
  // For Assemble.
  ServiceParts(const hook_service::HookProgramParts& program, const Flags& flags, std::unique_ptr<StorageStore> store);

 private:
  absl::Status Start(const hook_service::HookProgramParts& program, const Flags& flags);
  absl::Status AddHooks(const hook_service::HookProgramParts& program, const Flags& flags);
  void OnConfig(const absl::StatusOr<std::string>& text);
  std::vector<std::string> NetworkStorages() const;

  Logger& logger_;
  const std::unique_ptr<StorageStore> store_;
  NetlinkNetwork network_;
  NftIsolation isolation_;
  TcpProber prober_;
  MeasuredStorages probe_;
  NoticeOutbox notices_;
  client::Outbox announcer_;
  StorageBoard board_;
  StorageVlanManager vlans_;
  ThreadPool checking_;
  ThreadPool changing_;
  StorageRpc rpc_;
  StorageUpkeep upkeep_;
  std::unique_ptr<NetlinkWatch> network_watch_;
  std::unique_ptr<ConfigWatch> config_watch_;
};

}  // namespace pvebus::storage
