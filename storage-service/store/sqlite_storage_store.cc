#include "storage-service/store/sqlite_storage_store.h"

#include "sdk/sqlite/transaction.h"
#include "storage-service/store/storage_schema.h"

namespace pvebus::storage {
namespace {

constexpr char kFolder[] = "/state";
constexpr char kFileName[] = "storage.db";

absl::Status CheckRows(SqliteDatabase& database) {
  StorageTables tables(database);
  absl::Status readable = tables.Vlans().status();
  readable.Update(tables.ToldStates().status());
  readable.Update(tables.Notices().status());
  return readable;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteStorageStore>> SqliteStorageStore::Open(const std::string& data_directory) {
  auto directory = hooks::DataDirectory::Take(data_directory + kFolder);
  if (!directory.ok()) return directory.status();
  const auto path = (*directory)->MakeFile(kFileName);
  if (!path.ok()) return path.status();
  auto database = OpenDatabase(*path, StorageSchema());
  if (!database.ok()) return WithAdvice(database.status(), *path, StorageSchema());
  // A row that means nothing is said now, and not with the first event.
  if (absl::Status status = CheckRows(**database); !status.ok()) return WithAdvice(status, *path, StorageSchema());
  return std::unique_ptr<SqliteStorageStore>(new SqliteStorageStore(*std::move(directory), *std::move(database)));
}

SqliteStorageStore::SqliteStorageStore(std::unique_ptr<hooks::DataDirectory> directory, std::unique_ptr<SqliteDatabase> database)
    : directory_(std::move(directory)), database_(std::move(database)), tables_(*database_) {}

absl::StatusOr<std::vector<StorageVlanRecord>> SqliteStorageStore::Vlans() {
  MutexLock lock(mu_);
  auto records = tables_.Vlans();
  if (!records.ok()) return Advised(records.status());
  return records;
}

absl::Status SqliteStorageStore::PutVlan(const StorageVlanRecord& record, const std::vector<Notice>& notices) {
  MutexLock lock(mu_);
  SqliteTransaction transaction(*database_);
  absl::Status status = transaction.Begin();
  if (status.ok()) status = tables_.PutVlan(record);
  if (status.ok()) status = AddNotices(notices);
  return Advised(transaction.End(status));
}

absl::Status SqliteStorageStore::RemoveVlan(const std::string& storage_id, const std::vector<Notice>& notices) {
  MutexLock lock(mu_);
  SqliteTransaction transaction(*database_);
  absl::Status status = transaction.Begin();
  if (status.ok()) status = tables_.RemoveVlan(storage_id);
  if (status.ok()) status = AddNotices(notices);
  return Advised(transaction.End(status));
}

absl::StatusOr<std::vector<std::pair<std::string, StorageState>>> SqliteStorageStore::ToldStates() {
  MutexLock lock(mu_);
  auto states = tables_.ToldStates();
  if (!states.ok()) return Advised(states.status());
  return states;
}

absl::Status SqliteStorageStore::PutToldStates(const std::vector<std::pair<std::string, StorageState>>& states,
                                               const std::vector<Notice>& notices) {
  MutexLock lock(mu_);
  SqliteTransaction transaction(*database_);
  absl::Status status = transaction.Begin();
  for (const auto& [storage_id, state] : states) {
    if (status.ok()) status = tables_.PutToldState(storage_id, state);
  }
  if (status.ok()) status = AddNotices(notices);
  return Advised(transaction.End(status));
}

absl::Status SqliteStorageStore::ForgetToldState(const std::string& storage_id) {
  MutexLock lock(mu_);
  return Advised(tables_.ForgetToldState(storage_id));
}

absl::StatusOr<std::vector<Notice>> SqliteStorageStore::Notices() {
  MutexLock lock(mu_);
  auto notices = tables_.Notices();
  if (!notices.ok()) return Advised(notices.status());
  return notices;
}

absl::Status SqliteStorageStore::RemoveNotice(int64_t number) {
  MutexLock lock(mu_);
  return Advised(tables_.RemoveNotice(number));
}

absl::Status SqliteStorageStore::AddNotices(const std::vector<Notice>& notices) {
  for (Notice notice : notices) {
    notice.request_id = client::RandomId(random_);
    if (absl::Status status = tables_.AddNotice(notice); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status SqliteStorageStore::Advised(const absl::Status& status) {
  return WithAdvice(status, database_->path(), StorageSchema());
}

}  // namespace pvebus::storage
