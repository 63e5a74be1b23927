#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sdk/sqlite/database.h"
#include "storage-service/core/notice.h"
#include "storage-service/core/storage_state.h"
#include "storage-service/core/storage_vlan.h"

namespace pvebus::storage {

// What the rows of storage.db mean. One thread at a time; no transactions of its own. A row that means nothing is DATA_LOSS.
class StorageTables {
 public:
  // Requires: outlives this, and has its tables.
  explicit StorageTables(SqliteDatabase& database) : database_(database) {}

  absl::StatusOr<std::vector<StorageVlanRecord>> Vlans();
  absl::Status PutVlan(const StorageVlanRecord& record);
  absl::Status RemoveVlan(const std::string& storage_id);

  absl::StatusOr<std::vector<std::pair<std::string, StorageState>>> ToldStates();
  absl::Status PutToldState(const std::string& storage_id, StorageState state);
  absl::Status ForgetToldState(const std::string& storage_id);

  absl::StatusOr<std::vector<Notice>> Notices();
  // Under the next number, whatever its own is.
  absl::Status AddNotice(const Notice& notice);
  absl::Status RemoveNotice(int64_t number);

 private:
  absl::Status RunWith(const char* sql, const std::string& storage_id);

  SqliteDatabase& database_;
};

}  // namespace pvebus::storage
