#pragma once

#include "absl/status/status.h"
#include "network-service/core/network_applier.h"
#include "network-service/rpc/network_messages.h"
#include "network-service/rpc/publications.h"
#include "pvebus/network/v1/network_service.grpc.pb.h"
#include "sdk/base/executor.h"

namespace pvebus::network {

// What NetworkRpc stands on; all of it outlives its last call.
struct NetworkRpcParts {
  NetworkApplier& applier;
  NetworkNode& node;
  ApplyStore& store;
  Publications& publications;
  // Where calls wait: for the network and the bus; confirmations, whose time runs out, for nobody; all else for the disk and, to
  // know how listeners took an event, for the bus.
  Executor& changing;
  Executor& confirming;
  Executor& reading;
};

// Serves NetworkService. Owned by main. Any thread.
class NetworkRpc final : public v1::NetworkService::CallbackService {
 public:
  explicit NetworkRpc(const NetworkRpcParts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* GetPendingChanges(grpc::CallbackServerContext* context, const v1::GetPendingChangesRequest* request,
                                              v1::GetPendingChangesResponse* response) override;
  grpc::ServerUnaryReactor* ApplyPendingChanges(grpc::CallbackServerContext* context,
                                                const v1::ApplyPendingChangesRequest* request,
                                                v1::ApplyPendingChangesResponse* response) override;
  grpc::ServerUnaryReactor* ConfirmApply(grpc::CallbackServerContext* context, const v1::ConfirmApplyRequest* request,
                                         v1::ConfirmApplyResponse* response) override;
  grpc::ServerUnaryReactor* RevertApply(grpc::CallbackServerContext* context, const v1::RevertApplyRequest* request,
                                        v1::RevertApplyResponse* response) override;
  grpc::ServerUnaryReactor* ListApplies(grpc::CallbackServerContext* context, const v1::ListAppliesRequest* request,
                                        v1::ListAppliesResponse* response) override;

 private:
  absl::Status ReadPending(v1::GetPendingChangesResponse& response) const;
  absl::Status ReadOne(const v1::ListAppliesRequest& request, v1::ListAppliesResponse& response) const;
  absl::Status ReadPage(const v1::ListAppliesRequest& request, v1::ListAppliesResponse& response) const;
  // With what its listeners answered.
  absl::Status Finish(const absl::StatusOr<ApplyRecord>& record, v1::Apply& apply) const;

  const NetworkRpcParts parts_;
};

}  // namespace pvebus::network
