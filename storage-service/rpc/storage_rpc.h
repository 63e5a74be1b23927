#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "pvebus/storage/v1/storage_service.grpc.pb.h"
#include "sdk/hook_service/hook_rpc.h"

namespace pvebus::storage {

// Serves StorageService. Owned by main. Any thread. Requires: the chain outlives it.
class StorageRpc final : public hook_service::HookRpc<v1::StorageService> {
 public:
  using HookRpc::HookRpc;

 private:
  absl::StatusOr<std::string> ResourceAskedFor(const v1::ListHookExecutionsRequest& request) const override;
};

}  // namespace pvebus::storage
