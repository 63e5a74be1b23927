#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage-service/core/notice.h"
#include "storage-service/core/storage_state.h"
#include "storage-service/core/storage_vlan.h"

namespace pvebus::storage {

// What storage-service keeps over restarts. Any thread; calls return when it is on disk. Errors are those of the disk.
class StorageStore {
 public:
  virtual ~StorageStore() = default;

  // By storage id.
  virtual absl::StatusOr<std::vector<StorageVlanRecord>> Vlans() = 0;
  // Replaces the record of that storage; with the notices in one commit.
  virtual absl::Status PutVlan(const StorageVlanRecord& record, const std::vector<Notice>& notices) = 0;
  virtual absl::Status RemoveVlan(const std::string& storage_id, const std::vector<Notice>& notices) = 0;

  // The last state that was told of each storage.
  virtual absl::StatusOr<std::vector<std::pair<std::string, StorageState>>> ToldStates() = 0;
  // Sets them; with the notices in one commit.
  virtual absl::Status PutToldStates(const std::vector<std::pair<std::string, StorageState>>& states,
                                     const std::vector<Notice>& notices) = 0;
  virtual absl::Status ForgetToldState(const std::string& storage_id) = 0;

  // In their order.
  virtual absl::StatusOr<std::vector<Notice>> Notices() = 0;
  virtual absl::Status RemoveNotice(int64_t number) = 0;
};

}  // namespace pvebus::storage
