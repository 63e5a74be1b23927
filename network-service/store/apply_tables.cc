#include "network-service/store/apply_tables.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "absl/strings/str_format.h"
#include "network-service/core/errors.h"
#include "network-service/store/apply_row.h"
#include "network-service/store/warnings_codec.h"
#include "sdk/sqlite/row.h"

namespace pvebus::network {
namespace {

// Their numbers on disk are their places: only added to.
constexpr std::array kKinds = {NoticeKind::kApplied, NoticeKind::kReverted, NoticeKind::kFailed};

int64_t RowLimit(size_t limit) { return static_cast<int64_t>(std::min<size_t>(limit, INT64_MAX)); }

Notice ReadNotice(SqliteRow& row) {
  return {.number = row.From<int64_t>(0, 1, INT64_MAX), .apply_id = row.Text(1), .kind = row.OneOf(2, kKinds)};
}

Publication ReadPublication(SqliteRow& row) {
  const Notice notice = ReadNotice(row);
  return {.kind = notice.kind,
          .request_id = RequestIdOf(notice.kind, notice.apply_id),
          .published = row.Flag(3),
          .result = row.Text(4)};
}

KnownConfiguration ReadKnown(SqliteRow& row) { return {.interfaces = row.Text(1), .boot_id = row.Text(2)}; }

template <typename Value>
absl::StatusOr<std::optional<Value>> FirstOf(absl::StatusOr<std::vector<Value>> values) {
  if (!values.ok()) return values.status();
  return values->empty() ? std::nullopt : std::optional(std::move(values->front()));
}

}  // namespace

absl::Status ApplyTables::Check() {
  // One row after the other: all files of all applies may be much.
  const auto check = [&](const char* table, auto read) {
    auto query = SqliteStatement::Prepare(database_, absl::StrFormat("SELECT * FROM %s", table).c_str());
    if (!query.ok()) return query.status();
    return ReadRows(database_, **query, table,
                    [&](SqliteRow& row) {
                      read(row);
                      return row.ok();
                    })
        .status();
  };
  absl::Status readable = check("applies", ReadApply);
  readable.Update(check("publications", ReadPublication));
  readable.Update(check("known", ReadKnown));
  return readable;
}

absl::StatusOr<std::vector<ApplyRecord>> ApplyTables::List(int64_t before, size_t limit) {
  auto query = SqliteStatement::Prepare(database_, "SELECT * FROM applies WHERE number < ?1 ORDER BY number DESC LIMIT ?2");
  if (!query.ok()) return query.status();
  (*query)->Bind(1, before);
  (*query)->Bind(2, RowLimit(limit));
  return ReadRows(database_, **query, "applies", ReadApply);
}

absl::StatusOr<std::optional<ApplyRecord>> ApplyTables::Find(const std::string& apply_id) {
  return FindOne("SELECT * FROM applies WHERE apply_id = ?1", apply_id);
}

absl::StatusOr<std::optional<ApplyRecord>> ApplyTables::FindRequest(const std::string& request_id) {
  return FindOne(
      "SELECT * FROM applies WHERE (request_id = ?1 AND request_id <> '') "
      "OR (revert_request_id = ?1 AND revert_request_id <> '')",
      request_id);
}

absl::StatusOr<std::vector<ApplyRecord>> ApplyTables::UnderWay() {
  const std::string sql =
      absl::StrFormat("SELECT * FROM applies WHERE state IN (%s) ORDER BY number", StatesOnDisk(Stage::kUnderWay));
  auto query = SqliteStatement::Prepare(database_, sql.c_str());
  if (!query.ok()) return query.status();
  return ReadRows(database_, **query, "applies", ReadApply);
}

absl::StatusOr<int64_t> ApplyTables::Insert(const ApplyRecord& record) {
  const auto same = FindRequest(record.request_id);
  if (!same.ok()) return same.status();
  if (same->has_value()) return RequestIdInUse(record.request_id);
  auto insert = SqliteStatement::Prepare(database_,
                                         "INSERT INTO applies VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
                                         "?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24) RETURNING number");
  if (!insert.ok()) return insert.status();
  const std::string warnings = EncodeWarnings(record.warnings);
  BindApply(**insert, record, warnings);
  const auto inserted = (*insert)->Step();
  if (!inserted.ok()) return inserted.status();
  return (*insert)->Number(0);
}

absl::Status ApplyTables::Remove(int64_t number) {
  auto remove = SqliteStatement::Prepare(database_, "DELETE FROM applies WHERE number = ?1 RETURNING number");
  if (!remove.ok()) return remove.status();
  (*remove)->Bind(1, number);
  const auto removed = (*remove)->Step();
  if (!removed.ok()) return removed.status();
  return *removed ? absl::OkStatus() : NoSuchApply(number);
}

absl::Status ApplyTables::ForgetOldest(size_t limit) {
  const std::string sql = absl::StrFormat(
      "SELECT apply_id FROM applies WHERE state IN (%s) AND apply_id NOT IN (SELECT apply_id FROM publications WHERE published = "
      "0) "
      "ORDER BY number DESC LIMIT -1 OFFSET ?1",
      StatesOnDisk(Stage::kOver));
  auto query = SqliteStatement::Prepare(database_, sql.c_str());
  if (!query.ok()) return query.status();
  (*query)->Bind(1, RowLimit(limit));
  const auto apply_ids = ReadRows(database_, **query, "applies", [](SqliteRow& row) { return row.Text(0); });
  if (!apply_ids.ok()) return apply_ids.status();
  for (const std::string& apply_id : *apply_ids) {
    absl::Status status = RunWith("DELETE FROM publications WHERE apply_id = ?1", apply_id);
    if (status.ok()) status = RunWith("DELETE FROM applies WHERE apply_id = ?1", apply_id);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<KnownConfiguration>> ApplyTables::Known() {
  auto query = SqliteStatement::Prepare(database_, "SELECT * FROM known");
  if (!query.ok()) return query.status();
  return FirstOf(ReadRows(database_, **query, "known", ReadKnown));
}

absl::Status ApplyTables::PutKnown(const KnownConfiguration& known) {
  auto put = SqliteStatement::Prepare(database_, "INSERT OR REPLACE INTO known VALUES (1, ?1, ?2)");
  if (!put.ok()) return put.status();
  (*put)->BindBlob(1, known.interfaces);
  (*put)->BindText(2, known.boot_id);
  return (*put)->Run();
}

absl::StatusOr<std::vector<Notice>> ApplyTables::Notices() {
  auto query =
      SqliteStatement::Prepare(database_, "SELECT number, apply_id, kind FROM publications WHERE published = 0 ORDER BY number");
  if (!query.ok()) return query.status();
  return ReadRows(database_, **query, "publications", ReadNotice);
}

absl::Status ApplyTables::AddNotice(const std::string& apply_id, NoticeKind kind) {
  auto insert =
      SqliteStatement::Prepare(database_, "INSERT INTO publications (apply_id, kind, published, result) VALUES (?1, ?2, 0, x'')");
  if (!insert.ok()) return insert.status();
  (*insert)->BindText(1, apply_id);
  (*insert)->Bind(2, PlaceOf(kKinds, kind));
  return (*insert)->Run();
}

absl::Status ApplyTables::RemoveNotice(int64_t number) {
  auto update = SqliteStatement::Prepare(database_, "UPDATE publications SET published = 1 WHERE number = ?1");
  if (!update.ok()) return update.status();
  (*update)->Bind(1, number);
  return (*update)->Run();
}

absl::StatusOr<std::vector<Publication>> ApplyTables::Publications(const std::string& apply_id) {
  auto query = SqliteStatement::Prepare(database_, "SELECT * FROM publications WHERE apply_id = ?1 ORDER BY number");
  if (!query.ok()) return query.status();
  (*query)->BindText(1, apply_id);
  return ReadRows(database_, **query, "publications", ReadPublication);
}

absl::Status ApplyTables::PutPublishResult(const std::string& apply_id, NoticeKind kind, const std::string& result) {
  auto update = SqliteStatement::Prepare(database_, "UPDATE publications SET result = ?3 WHERE apply_id = ?1 AND kind = ?2");
  if (!update.ok()) return update.status();
  (*update)->BindText(1, apply_id);
  (*update)->Bind(2, PlaceOf(kKinds, kind));
  (*update)->BindBlob(3, result);
  return (*update)->Run();
}

absl::StatusOr<std::optional<ApplyRecord>> ApplyTables::FindOne(const char* sql, const std::string& id) {
  auto query = SqliteStatement::Prepare(database_, sql);
  if (!query.ok()) return query.status();
  (*query)->BindText(1, id);
  return FirstOf(ReadRows(database_, **query, "applies", ReadApply));
}

absl::Status ApplyTables::RunWith(const char* sql, const std::string& apply_id) {
  auto statement = SqliteStatement::Prepare(database_, sql);
  if (!statement.ok()) return statement.status();
  (*statement)->BindText(1, apply_id);
  return (*statement)->Run();
}

}  // namespace pvebus::network
