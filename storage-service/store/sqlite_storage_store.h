#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sdk/base/mutex.h"
#include "sdk/client/random_id.h"
#include "sdk/hooks/data_directory.h"
#include "sdk/sqlite/database.h"
#include "storage-service/core/storage_store.h"
#include "storage-service/store/storage_tables.h"

namespace pvebus::storage {

// A store in the file state/storage.db of the data directory; the folder `state` is its alone. Any thread; one call at a time.
class SqliteStorageStore final : public StorageStore {
 public:
  // Errors as DataDirectory::Take and StorageSchema.
  static absl::StatusOr<std::unique_ptr<SqliteStorageStore>> Open(const std::string& data_directory);

  absl::StatusOr<std::vector<StorageVlanRecord>> Vlans() override ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status PutVlan(const StorageVlanRecord& record, const std::vector<Notice>& notices) override ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status RemoveVlan(const std::string& storage_id, const std::vector<Notice>& notices) override ABSL_LOCKS_EXCLUDED(mu_);

  absl::StatusOr<std::vector<std::pair<std::string, StorageState>>> ToldStates() override ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status PutToldStates(const std::vector<std::pair<std::string, StorageState>>& states,
                             const std::vector<Notice>& notices) override ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status ForgetToldState(const std::string& storage_id) override ABSL_LOCKS_EXCLUDED(mu_);

  absl::StatusOr<std::vector<Notice>> Notices() override ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status RemoveNotice(int64_t number) override ABSL_LOCKS_EXCLUDED(mu_);

 private:
  SqliteStorageStore(std::unique_ptr<hooks::DataDirectory> directory, std::unique_ptr<SqliteDatabase> database);

  absl::Status AddNotices(const std::vector<Notice>& notices) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status Advised(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::unique_ptr<hooks::DataDirectory> directory_;  // given back last
  client::LockedRandom random_;

  Mutex mu_;
  const std::unique_ptr<SqliteDatabase> database_ ABSL_PT_GUARDED_BY(mu_);
  StorageTables tables_ ABSL_GUARDED_BY(mu_);
};

}  // namespace pvebus::storage
