#pragma once

#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "migration-service/core/migration_state.h"
#include "pvebus/migration/v1/migration_service.grpc.pb.h"
#include "sdk/hooks/hook_chain.h"

namespace pvebus::migration {

// Serves MigrationService from the hook chain and the state. Owned by main. Any thread. Requires: both outlive it.
class MigrationRpc final : public v1::MigrationService::CallbackService {
 public:
  MigrationRpc(hooks::HookChain& chain, const MigrationState& state) : chain_(chain), state_(state) {}

  grpc::ServerUnaryReactor* GetMigrationStatus(grpc::CallbackServerContext* context, const v1::GetMigrationStatusRequest* request,
                                               v1::GetMigrationStatusResponse* response) override;
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
  const MigrationState& state_;
};

}  // namespace pvebus::migration
