#include "container-service/rpc/container_rpc.h"

#include <string>

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"
#include "sdk/hook_service/hook_rpc.h"

namespace pvebus::container {
namespace {

constexpr uint32_t kMinId = 100;
constexpr uint32_t kMaxId = 999'999'999;

absl::Status IdInvalid(uint32_t id) {
  return MakeError(absl::StatusCode::kInvalidArgument, "ID_INVALID",
                   absl::StrFormat("container_id is %u; a container's vmid is %u..%u", id, kMinId, kMaxId),
                   {{"field", "container_id"}});
}

}  // namespace

grpc::ServerUnaryReactor* ContainerRpc::ListHooks(grpc::CallbackServerContext* context, const v1::ListHooksRequest*,
                                                  v1::ListHooksResponse* response) {
  return hook_service::Reply(context, hook_service::ListHooks(chain_, *response));
}

grpc::ServerUnaryReactor* ContainerRpc::ListHookExecutions(grpc::CallbackServerContext* context,
                                                           const v1::ListHookExecutionsRequest* request,
                                                           v1::ListHookExecutionsResponse* response) {
  const uint32_t id = request->container_id();
  if (id != 0 && (id < kMinId || id > kMaxId)) return hook_service::Reply(context, IdInvalid(id));
  const std::string resource = id == 0 ? "" : "container/" + std::to_string(id);
  return hook_service::Reply(context, hook_service::ListHookExecutions(chain_, *request, resource, *response));
}

grpc::ServerUnaryReactor* ContainerRpc::GetHookStatistics(grpc::CallbackServerContext* context,
                                                          const v1::GetHookStatisticsRequest* request,
                                                          v1::GetHookStatisticsResponse* response) {
  return hook_service::Reply(context, hook_service::GetHookStatistics(chain_, *request, *response));
}

grpc::ServerUnaryReactor* ContainerRpc::ClearHookExecutions(grpc::CallbackServerContext* context,
                                                            const v1::ClearHookExecutionsRequest*,
                                                            v1::ClearHookExecutionsResponse* response) {
  return hook_service::ClearHookExecutions(context, chain_, response);
}

}  // namespace pvebus::container
