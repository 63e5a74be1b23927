#pragma once

#include "migration-service/core/migration_state.h"
#include "pvebus/migration/v1/migration_service.grpc.pb.h"
#include "sdk/hook_service/hook_rpc.h"

namespace pvebus::migration {

// Serves MigrationService from the hook chain and the state. Owned by main. Any thread. Requires: both outlive it.
class MigrationRpc final : public hook_service::HookRpc<v1::MigrationService> {
 public:
  MigrationRpc(hooks::HookChain& chain, const MigrationState& state) : HookRpc(chain), state_(state) {}

  grpc::ServerUnaryReactor* GetMigrationStatus(grpc::CallbackServerContext* context, const v1::GetMigrationStatusRequest* request,
                                               v1::GetMigrationStatusResponse* response) override;

 private:
  const MigrationState& state_;
};

}  // namespace pvebus::migration
