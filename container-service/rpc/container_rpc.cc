#include "container-service/rpc/container_rpc.h"

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"

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

absl::StatusOr<std::string> ContainerRpc::ResourceAskedFor(const v1::ListHookExecutionsRequest& request) const {
  const uint32_t id = request.container_id();
  if (id == 0) return std::string();
  if (id < kMinId || id > kMaxId) return IdInvalid(id);
  return "container/" + std::to_string(id);
}

}  // namespace pvebus::container
