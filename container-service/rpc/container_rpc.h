#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pvebus/container/v1/container_service.grpc.pb.h"
#include "sdk/hook_service/hook_rpc.h"

namespace pvebus::container {

// Serves ContainerService. Owned by main. Any thread. Requires: the chain outlives it.
class ContainerRpc final : public hook_service::HookRpc<v1::ContainerService> {
 public:
  using HookRpc::HookRpc;

 private:
  absl::StatusOr<std::string> ResourceAskedFor(const v1::ListHookExecutionsRequest& request) const override;
  absl::Status SetStartBounds(const v1::ListHookExecutionsRequest& request, hooks::ExecutionQuery& query) const override;
};

}  // namespace pvebus::container
