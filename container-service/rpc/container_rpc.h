#pragma once

#include <atomic>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "container-service/core/container_node.h"
#include "pvebus/container/v1/container_service.grpc.pb.h"
#include "sdk/base/executor.h"
#include "sdk/hook_service/hook_rpc.h"

namespace pvebus::container {

// What ContainerRpc stands on; all of it outlives its last call.
struct ContainerRpcParts {
  const ContainerNode& node;
  // Where calls wait for files and the kernel, and for hooks: two of them, so that slow hooks keep nobody from looking.
  Executor& looking;
  Executor& running;
};

// Serves ContainerService. Owned by main. Any thread. Requires: chain and parts outlive it.
class ContainerRpc final : public hook_service::HookRpc<v1::ContainerService> {
 public:
  ContainerRpc(hooks::HookChain& chain, const ContainerRpcParts& parts) : HookRpc(chain), chain_(chain), parts_(parts) {}

  grpc::ServerUnaryReactor* GetContainerNetwork(grpc::CallbackServerContext* context,
                                                const v1::GetContainerNetworkRequest* request,
                                                v1::GetContainerNetworkResponse* response) override;
  // RESOURCE_EXHAUSTED RUN_BACKPRESSURE when too many others wait.
  grpc::ServerUnaryReactor* RunLifecycleHooks(grpc::CallbackServerContext* context, const v1::RunLifecycleHooksRequest* request,
                                              v1::RunLifecycleHooksResponse* response) override;

 private:
  absl::StatusOr<std::string> ResourceAskedFor(const v1::ListHookExecutionsRequest& request) const override;
  absl::Status SetStartBounds(const v1::ListHookExecutionsRequest& request, hooks::ExecutionQuery& query) const override;

  hooks::HookChain& chain_;
  const ContainerRpcParts parts_;
  std::atomic<int> runs_ = 0;  // under way, or waiting for a thread
};

}  // namespace pvebus::container
