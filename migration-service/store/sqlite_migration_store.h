#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "migration-service/core/migration_store.h"
#include "migration-service/store/migration_tables.h"
#include "sdk/base/mutex.h"
#include "sdk/hooks/data_directory.h"
#include "sdk/sqlite/database.h"

namespace pvebus::migration {

// A store in the file state/migration.db of the data directory; the folder `state` is its alone. Any thread; one call at a time.
class SqliteMigrationStore final : public MigrationStore {
 public:
  // Errors as DataDirectory::Take and MigrationSchema.
  static absl::StatusOr<std::unique_ptr<SqliteMigrationStore>> Open(const std::string& data_directory,
                                                                    size_t remembered_transactions = kRememberedTransactions);

  absl::StatusOr<MigrationRecord> Load() override ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status TakeOver(const MigrationRecord& record) override ABSL_LOCKS_EXCLUDED(mu_);

  absl::Status PutChange(const PhaseChange& change) override ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<std::vector<PhaseChange>> Changes(uint64_t before, size_t limit) override ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<std::optional<PhaseChange>> ChangeOf(const std::string& event_id) override ABSL_LOCKS_EXCLUDED(mu_);

  absl::StatusOr<bool> CountTransaction(const std::string& event_id) override ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status PutReports(const ReportCounts& reports) override ABSL_LOCKS_EXCLUDED(mu_);

  absl::Status PutStepBack(const PhaseOrder& order) override ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<std::optional<PhaseOrder>> StepBack() override ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status RemoveStepBack(const std::string& event_id) override ABSL_LOCKS_EXCLUDED(mu_);

 private:
  SqliteMigrationStore(std::unique_ptr<hooks::DataDirectory> directory, std::unique_ptr<SqliteDatabase> database,
                       size_t remembered_transactions);

  // What the calls of these names do, inside a transaction.
  absl::Status TakeOverLocked(const MigrationRecord& record) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status PutChangeLocked(const PhaseChange& change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<bool> CountTransactionLocked(const std::string& event_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status PutReportsLocked(const ReportCounts& reports) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  absl::Status Advised(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  template <typename Value>
  absl::StatusOr<Value> Advised(absl::StatusOr<Value> value) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::unique_ptr<hooks::DataDirectory> directory_;  // given back last
  const size_t remembered_transactions_;

  Mutex mu_;
  const std::unique_ptr<SqliteDatabase> database_ ABSL_PT_GUARDED_BY(mu_);
  MigrationTables tables_ ABSL_GUARDED_BY(mu_);
};

}  // namespace pvebus::migration
