#include "migration-service/store/sqlite_migration_store.h"

#include <cstdint>
#include <utility>

#include "migration-service/core/errors.h"
#include "migration-service/store/migration_schema.h"
#include "sdk/sqlite/transaction.h"

namespace pvebus::migration {
namespace {

constexpr char kFolder[] = "/state";
constexpr char kFileName[] = "migration.db";

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteMigrationStore>> SqliteMigrationStore::Open(const std::string& data_directory,
                                                                                 size_t remembered_transactions) {
  auto directory = hooks::DataDirectory::Take(data_directory + kFolder);
  if (!directory.ok()) return directory.status();
  const auto path = (*directory)->MakeFile(kFileName);
  if (!path.ok()) return path.status();
  auto database = OpenDatabase(*path, MigrationSchema());
  if (!database.ok()) return WithAdvice(database.status(), *path, MigrationSchema());
  // A row that means nothing is said now, and not with the first event.
  if (absl::Status status = MigrationTables(**database).Check(); !status.ok()) {
    return WithAdvice(status, *path, MigrationSchema());
  }
  return std::unique_ptr<SqliteMigrationStore>(
      new SqliteMigrationStore(*std::move(directory), *std::move(database), remembered_transactions));
}

SqliteMigrationStore::SqliteMigrationStore(std::unique_ptr<hooks::DataDirectory> directory,
                                           std::unique_ptr<SqliteDatabase> database, size_t remembered_transactions)
    : directory_(std::move(directory)),
      remembered_transactions_(remembered_transactions),
      database_(std::move(database)),
      tables_(*database_) {}

absl::StatusOr<MigrationRecord> SqliteMigrationStore::Load() {
  MutexLock lock(mu_);
  return Advised(tables_.Record());
}

absl::Status SqliteMigrationStore::TakeOver(const MigrationRecord& record) {
  MutexLock lock(mu_);
  SqliteTransaction transaction(*database_);
  absl::Status status = transaction.Begin();
  if (status.ok()) status = TakeOverLocked(record);
  return Advised(transaction.End(status));
}

absl::Status SqliteMigrationStore::PutChange(const PhaseChange& change) {
  MutexLock lock(mu_);
  SqliteTransaction transaction(*database_);
  absl::Status status = transaction.Begin();
  if (status.ok()) status = PutChangeLocked(change);
  return Advised(transaction.End(status));
}

absl::StatusOr<std::vector<PhaseChange>> SqliteMigrationStore::Changes(uint64_t before, size_t limit) {
  MutexLock lock(mu_);
  return Advised(tables_.Changes(before == 0 ? INT64_MAX : before, limit));
}

absl::StatusOr<std::optional<PhaseChange>> SqliteMigrationStore::ChangeOf(const std::string& event_id) {
  MutexLock lock(mu_);
  return Advised(tables_.ChangeOf(event_id));
}

absl::StatusOr<bool> SqliteMigrationStore::CountTransaction(const std::string& event_id) {
  MutexLock lock(mu_);
  SqliteTransaction transaction(*database_);
  if (absl::Status status = transaction.Begin(); !status.ok()) return Advised(status);
  auto counted = CountTransactionLocked(event_id);
  if (absl::Status status = transaction.End(counted.status()); !status.ok()) return Advised(status);
  return counted;
}

absl::Status SqliteMigrationStore::PutReports(const ReportCounts& reports) {
  MutexLock lock(mu_);
  SqliteTransaction transaction(*database_);
  absl::Status status = transaction.Begin();
  if (status.ok()) status = PutReportsLocked(reports);
  return Advised(transaction.End(status));
}

absl::Status SqliteMigrationStore::PutStepBack(const PhaseOrder& order) {
  MutexLock lock(mu_);
  return Advised(tables_.PutStepBack(order));
}

absl::StatusOr<std::optional<PhaseOrder>> SqliteMigrationStore::StepBack() {
  MutexLock lock(mu_);
  return Advised(tables_.StepBack());
}

absl::Status SqliteMigrationStore::RemoveStepBack(const std::string& event_id) {
  MutexLock lock(mu_);
  return Advised(tables_.RemoveStepBackOf(event_id));
}

absl::Status SqliteMigrationStore::TakeOverLocked(const MigrationRecord& record) {
  const auto found = tables_.Record();
  if (!found.ok()) return found.status();
  const auto step_back = tables_.StepBack();
  if (!step_back.ok()) return step_back.status();
  if (*found != MigrationRecord{} || step_back->has_value()) return StateNotNew();
  absl::Status status = tables_.PutCounts(record);
  if (status.ok() && record.last_change) status = tables_.AddChange(*record.last_change);
  if (status.ok() && !record.last_transaction_event_id.empty()) {
    status = tables_.AddCounted(record.last_transaction_event_id).status();
  }
  return status;
}

absl::Status SqliteMigrationStore::PutChangeLocked(const PhaseChange& change) {
  auto record = tables_.Record();
  if (!record.ok()) return record.status();
  record->phase_transactions = 0;
  record->reports = {};
  absl::Status status = tables_.AddChange(change);
  if (status.ok()) status = tables_.PutCounts(*record);
  if (status.ok()) status = tables_.RemoveStepBack();
  return status;
}

absl::StatusOr<bool> SqliteMigrationStore::CountTransactionLocked(const std::string& event_id) {
  auto added = tables_.AddCounted(event_id);
  if (!added.ok() || !*added) return added;
  auto record = tables_.Record();
  if (!record.ok()) return record.status();
  ++record->transactions;
  ++record->phase_transactions;
  record->last_transaction_event_id = event_id;
  absl::Status status = tables_.PutCounts(*record);
  if (status.ok()) status = tables_.ForgetOldestCounted(remembered_transactions_);
  if (!status.ok()) return status;
  return true;
}

absl::Status SqliteMigrationStore::PutReportsLocked(const ReportCounts& reports) {
  auto record = tables_.Record();
  if (!record.ok()) return record.status();
  record->reports = reports;
  return tables_.PutCounts(*record);
}

absl::Status SqliteMigrationStore::Advised(const absl::Status& status) {
  return WithAdvice(status, database_->path(), MigrationSchema());
}

template <typename Value>
absl::StatusOr<Value> SqliteMigrationStore::Advised(absl::StatusOr<Value> value) {
  if (!value.ok()) return Advised(value.status());
  return value;
}

}  // namespace pvebus::migration
