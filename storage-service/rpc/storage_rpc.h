#pragma once

#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "pvebus/storage/v1/storage_service.grpc.pb.h"
#include "sdk/hooks/hook_chain.h"

namespace pvebus::storage {

// Serves StorageService from the hook chain. Owned by main. Any thread. Requires: the chain outlives it.
class StorageRpc final : public v1::StorageService::CallbackService {
 public:
  explicit StorageRpc(hooks::HookChain& chain) : chain_(chain) {}

  grpc::ServerUnaryReactor* ListHooks(grpc::CallbackServerContext* context, const v1::ListHooksRequest* request,
                                      v1::ListHooksResponse* response) override;
  grpc::ServerUnaryReactor* ListHookExecutions(grpc::CallbackServerContext* context, const v1::ListHookExecutionsRequest* request,
                                               v1::ListHookExecutionsResponse* response) override;
  grpc::ServerUnaryReactor* GetHookStatistics(grpc::CallbackServerContext* context, const v1::GetHookStatisticsRequest* request,
                                              v1::GetHookStatisticsResponse* response) override;
  grpc::ServerUnaryReactor* ClearHookExecutions(grpc::CallbackServerContext* context,
                                                const v1::ClearHookExecutionsRequest* request,
                                                v1::ClearHookExecutionsResponse* response) override;

 private:
  hooks::HookChain& chain_;
};

}  // namespace pvebus::storage
