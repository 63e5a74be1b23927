#include "network-service/store/sqlite_apply_store.h"

#include <cstdint>
#include <utility>

#include "network-service/store/apply_schema.h"
#include "sdk/sqlite/transaction.h"

namespace pvebus::network {
namespace {

constexpr char kFolder[] = "/state";
constexpr char kFileName[] = "network.db";

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteApplyStore>> SqliteApplyStore::Open(const std::string& data_directory,
                                                                         size_t history_limit) {
  auto directory = hooks::DataDirectory::Take(data_directory + kFolder);
  if (!directory.ok()) return directory.status();
  const auto path = (*directory)->MakeFile(kFileName);
  if (!path.ok()) return path.status();
  auto database = OpenDatabase(*path, ApplySchema());
  if (!database.ok()) return WithAdvice(database.status(), *path, ApplySchema());
  // A row that means nothing is said now, and not in the middle of an apply.
  if (absl::Status status = ApplyTables(**database).Check(); !status.ok()) return WithAdvice(status, *path, ApplySchema());
  return std::unique_ptr<SqliteApplyStore>(new SqliteApplyStore(*std::move(directory), *std::move(database), history_limit));
}

SqliteApplyStore::SqliteApplyStore(std::unique_ptr<hooks::DataDirectory> directory, std::unique_ptr<SqliteDatabase> database,
                                   size_t history_limit)
    : directory_(std::move(directory)), history_limit_(history_limit), database_(std::move(database)), tables_(*database_) {}

absl::Status SqliteApplyStore::Add(ApplyRecord& record, const std::vector<NoticeKind>& notices,
                                   const std::optional<KnownConfiguration>& known) {
  ApplyRecord added = record;
  added.number = 0;
  MutexLock lock(mu_);
  SqliteTransaction transaction(*database_);
  absl::Status status = transaction.Begin();
  if (status.ok()) {
    const auto number = tables_.Insert(added);
    status = number.status();
    if (number.ok()) added.number = *number;
  }
  if (status.ok()) status = PutConsequences(record.apply_id, notices, known);
  if (status.ok()) status = tables_.ForgetOldest(history_limit_);
  status = transaction.End(status);
  if (status.ok()) record.number = added.number;
  return Advised(status);
}

absl::Status SqliteApplyStore::Update(const ApplyRecord& record, const std::vector<NoticeKind>& notices,
                                      const std::optional<KnownConfiguration>& known) {
  MutexLock lock(mu_);
  SqliteTransaction transaction(*database_);
  absl::Status status = transaction.Begin();
  if (status.ok()) status = tables_.Remove(record.number);
  if (status.ok()) status = tables_.Insert(record).status();
  if (status.ok()) status = PutConsequences(record.apply_id, notices, known);
  return Advised(transaction.End(status));
}

absl::StatusOr<std::vector<ApplyRecord>> SqliteApplyStore::List(int64_t before, size_t limit) {
  MutexLock lock(mu_);
  return Advised(tables_.List(before == 0 ? INT64_MAX : before, limit));
}

absl::StatusOr<std::optional<ApplyRecord>> SqliteApplyStore::Find(const std::string& apply_id) {
  MutexLock lock(mu_);
  return Advised(tables_.Find(apply_id));
}

absl::StatusOr<std::optional<ApplyRecord>> SqliteApplyStore::FindRequest(const std::string& request_id) {
  MutexLock lock(mu_);
  return Advised(tables_.FindRequest(request_id));
}

absl::StatusOr<std::vector<ApplyRecord>> SqliteApplyStore::UnderWay() {
  MutexLock lock(mu_);
  return Advised(tables_.UnderWay());
}

absl::StatusOr<std::optional<KnownConfiguration>> SqliteApplyStore::Known() {
  MutexLock lock(mu_);
  return Advised(tables_.Known());
}

absl::Status SqliteApplyStore::PutKnown(const KnownConfiguration& known) {
  MutexLock lock(mu_);
  return Advised(tables_.PutKnown(known));
}

absl::StatusOr<std::vector<Notice>> SqliteApplyStore::Notices() {
  MutexLock lock(mu_);
  return Advised(tables_.Notices());
}

absl::Status SqliteApplyStore::RemoveNotice(int64_t number) {
  MutexLock lock(mu_);
  return Advised(tables_.RemoveNotice(number));
}

absl::StatusOr<std::vector<Publication>> SqliteApplyStore::Publications(const std::string& apply_id) {
  MutexLock lock(mu_);
  return Advised(tables_.Publications(apply_id));
}

absl::Status SqliteApplyStore::PutPublishResult(const std::string& apply_id, NoticeKind kind, const std::string& result) {
  MutexLock lock(mu_);
  return Advised(tables_.PutPublishResult(apply_id, kind, result));
}

absl::Status SqliteApplyStore::PutConsequences(const std::string& apply_id, const std::vector<NoticeKind>& notices,
                                               const std::optional<KnownConfiguration>& known) {
  for (const NoticeKind kind : notices) {
    if (absl::Status status = tables_.AddNotice(apply_id, kind); !status.ok()) return status;
  }
  return known ? tables_.PutKnown(*known) : absl::OkStatus();
}

absl::Status SqliteApplyStore::Advised(const absl::Status& status) {
  return WithAdvice(status, database_->path(), ApplySchema());
}

template <typename Value>
absl::StatusOr<Value> SqliteApplyStore::Advised(absl::StatusOr<Value> value) {
  if (!value.ok()) return Advised(value.status());
  return value;
}

}  // namespace pvebus::network
