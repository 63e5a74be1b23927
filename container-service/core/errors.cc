#include "container-service/core/errors.h"

#include <string>

#include "absl/strings/str_format.h"
#include "container-service/core/container_findings.h"
#include "sdk/base/error.h"

namespace pvebus::container {

using absl::StatusCode;

absl::Status IdInvalid(uint32_t container_id) {
  return MakeError(
      StatusCode::kInvalidArgument, "ID_INVALID",
      absl::StrFormat("container_id is %d; a container's id is %d..%d", container_id, kLowestContainerId, kHighestContainerId),
      {{"field", "container_id"}});
}

absl::Status ContainerNotFound(uint32_t container_id, std::string_view path) {
  return MakeError(StatusCode::kNotFound, "CONTAINER_NOT_FOUND",
                   absl::StrFormat("there is no container %d on this node: %s does not exist", container_id, path),
                   {{"container_id", std::to_string(container_id)}, {"path", std::string(path)}});
}

absl::Status ContainerUnreadable(std::string_view path, std::string_view why) {
  return MakeError(StatusCode::kFailedPrecondition, "CONTAINER_UNREADABLE", absl::StrFormat("cannot read %s: %s", path, why),
                   {{"path", std::string(path)}});
}

absl::Status EventTypeInvalid(int event_type) {
  return MakeError(StatusCode::kInvalidArgument, "EVENT_TYPE_INVALID",
                   absl::StrFormat("event_type %d is not one of LifecycleEventType", event_type), {{"field", "event_type"}});
}

absl::Status InterfaceInvalid(std::string_view interface, std::string_view why) {
  return MakeError(StatusCode::kInvalidArgument, "INTERFACE_INVALID", absl::StrFormat("interface %s: %s", Quoted(interface), why),
                   {{"field", "interface"}});
}

absl::Status CheckContainerId(uint32_t container_id) {
  const bool valid = container_id >= kLowestContainerId && container_id <= kHighestContainerId;
  return valid ? absl::OkStatus() : IdInvalid(container_id);
}

}  // namespace pvebus::container
