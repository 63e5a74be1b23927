#include "storage-service/rpc/storage_rpc.h"

#include <string>

#include "sdk/hook_service/hook_rpc.h"

namespace pvebus::storage {

grpc::ServerUnaryReactor* StorageRpc::ListHooks(grpc::CallbackServerContext* context, const v1::ListHooksRequest*,
                                                v1::ListHooksResponse* response) {
  return hook_service::Reply(context, hook_service::ListHooks(chain_, *response));
}

grpc::ServerUnaryReactor* StorageRpc::ListHookExecutions(grpc::CallbackServerContext* context,
                                                         const v1::ListHookExecutionsRequest* request,
                                                         v1::ListHookExecutionsResponse* response) {
  const std::string resource = request->storage_id().empty() ? "" : "storage/" + request->storage_id();
  return hook_service::Reply(context, hook_service::ListHookExecutions(chain_, *request, resource, *response));
}

grpc::ServerUnaryReactor* StorageRpc::GetHookStatistics(grpc::CallbackServerContext* context,
                                                        const v1::GetHookStatisticsRequest* request,
                                                        v1::GetHookStatisticsResponse* response) {
  return hook_service::Reply(context, hook_service::GetHookStatistics(chain_, *request, *response));
}

grpc::ServerUnaryReactor* StorageRpc::ClearHookExecutions(grpc::CallbackServerContext* context,
                                                          const v1::ClearHookExecutionsRequest*,
                                                          v1::ClearHookExecutionsResponse* response) {
  return hook_service::ClearHookExecutions(context, chain_, response);
}

}  // namespace pvebus::storage
