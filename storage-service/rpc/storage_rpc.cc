#include "storage-service/rpc/storage_rpc.h"

namespace pvebus::storage {

absl::StatusOr<std::string> StorageRpc::ResourceAskedFor(const v1::ListHookExecutionsRequest& request) const {
  return request.storage_id().empty() ? std::string() : "storage/" + request.storage_id();
}

}  // namespace pvebus::storage
