#pragma once

#include <atomic>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pvebus/storage/v1/storage_service.grpc.pb.h"
#include "sdk/base/executor.h"
#include "sdk/hook_service/hook_rpc.h"
#include "storage-service/core/storage_board.h"
#include "storage-service/core/storage_vlan_manager.h"

namespace pvebus::storage {

// What StorageRpc stands on; all of it outlives its last call.
struct StorageRpcParts {
  StorageBoard& board;
  StorageVlanManager& vlans;
  // Where calls wait for the network and for the kernel: two of them, so that servers that hang delay no VLAN.
  Executor& checking;
  Executor& changing;
};

// Serves StorageService. Owned by main. Any thread. Requires: chain and parts outlive it.
class StorageRpc final : public hook_service::HookRpc<v1::StorageService> {
 public:
  StorageRpc(hooks::HookChain& chain, const StorageRpcParts& parts) : HookRpc(chain), parts_(parts) {}

  grpc::ServerUnaryReactor* ListStorages(grpc::CallbackServerContext* context, const v1::ListStoragesRequest* request,
                                         v1::ListStoragesResponse* response) override;
  grpc::ServerUnaryReactor* GetStorageStatus(grpc::CallbackServerContext* context, const v1::GetStorageStatusRequest* request,
                                             v1::GetStorageStatusResponse* response) override;
  // RESOURCE_EXHAUSTED REFRESH_BACKPRESSURE when too many others wait.
  grpc::ServerUnaryReactor* RefreshStorageStatus(grpc::CallbackServerContext* context,
                                                 const v1::RefreshStorageStatusRequest* request,
                                                 v1::RefreshStorageStatusResponse* response) override;
  grpc::ServerUnaryReactor* CreateStorageVlan(grpc::CallbackServerContext* context, const v1::CreateStorageVlanRequest* request,
                                              v1::CreateStorageVlanResponse* response) override;
  grpc::ServerUnaryReactor* DeleteStorageVlan(grpc::CallbackServerContext* context, const v1::DeleteStorageVlanRequest* request,
                                              v1::DeleteStorageVlanResponse* response) override;
  grpc::ServerUnaryReactor* ListStorageVlans(grpc::CallbackServerContext* context, const v1::ListStorageVlansRequest* request,
                                             v1::ListStorageVlansResponse* response) override;
  grpc::ServerUnaryReactor* ReconcileStorageVlans(grpc::CallbackServerContext* context,
                                                  const v1::ReconcileStorageVlansRequest* request,
                                                  v1::ReconcileStorageVlansResponse* response) override;

 private:
  absl::StatusOr<std::string> ResourceAskedFor(const v1::ListHookExecutionsRequest& request) const override;
  absl::Status CheckRefresh(const v1::RefreshStorageStatusRequest& request) const;

  const StorageRpcParts parts_;
  std::atomic<int> refreshes_ = 0;  // under way, or waiting for a thread
};

}  // namespace pvebus::storage
