#include "migration-service/store/migration_tables.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "absl/strings/str_format.h"
#include "sdk/sqlite/row.h"

namespace pvebus::migration {
namespace {

// Their numbers on disk are their places: only added to.
constexpr std::array kPhasesOnDisk = {Phase::kPerlOnly,     Phase::kRustReadOnly, Phase::kRustBasicWrite,
                                      Phase::kRustAdvanced, Phase::kRustSdn,      Phase::kRustFull};

int64_t OnDisk(uint64_t number) { return static_cast<int64_t>(std::min<uint64_t>(number, INT64_MAX)); }
int64_t OnDisk(bool flag) { return flag ? 1 : 0; }
int64_t OnDisk(Phase phase) { return PlaceOf(kPhasesOnDisk, phase); }

uint64_t CountAt(SqliteRow& row, int column) { return row.From<uint64_t>(column, 0, INT64_MAX); }

PhaseChange ReadChange(SqliteRow& row) {
  return {.number = row.From<uint64_t>(0, 1, INT64_MAX),
          .from = row.OneOf(1, kPhasesOnDisk),
          .to = row.OneOf(2, kPhasesOnDisk),
          .forced = row.Flag(3),
          .automatic = row.Flag(4),
          .reason = row.Text(5),
          .requested_by = row.Text(6),
          .event_id = row.Text(7),
          .time = row.PointInTime(8),
          .transactions = CountAt(row, 9)};
}

MigrationRecord ReadCounts(SqliteRow& row) {
  return {.transactions = CountAt(row, 1),
          .phase_transactions = CountAt(row, 2),
          .last_transaction_event_id = row.Text(3),
          .reports = {.reports = CountAt(row, 4), .failures = CountAt(row, 5)}};
}

PhaseOrder ReadStepBack(SqliteRow& row) {
  return {.to = row.OneOf(1, kPhasesOnDisk),
          .from = row.IsNull(2) ? std::nullopt : std::optional(row.OneOf(2, kPhasesOnDisk)),
          .force = row.Flag(3),
          .automatic = row.Flag(4),
          .reason = row.Text(5),
          .requested_by = row.Text(6),
          .event_id = row.Text(7),
          .time = row.PointInTime(8)};
}

template <typename Value>
absl::StatusOr<std::optional<Value>> FirstOf(absl::StatusOr<std::vector<Value>> values) {
  if (!values.ok()) return values.status();
  return values->empty() ? std::nullopt : std::optional(std::move(values->front()));
}

}  // namespace

absl::Status MigrationTables::Check() {
  absl::Status readable = Record().status();
  readable.Update(Changes(INT64_MAX, SIZE_MAX).status());
  readable.Update(StepBack().status());
  return readable;
}

absl::StatusOr<MigrationRecord> MigrationTables::Record() {
  auto query = SqliteStatement::Prepare(database_, "SELECT * FROM counts");
  if (!query.ok()) return query.status();
  auto counts = ReadRows(database_, **query, "counts", ReadCounts);
  if (!counts.ok()) return counts.status();
  if (counts->empty()) return absl::DataLossError(absl::StrFormat("reading %s: counts has no row", database_.path()));
  auto last_change = Changes(INT64_MAX, 1);
  if (!last_change.ok()) return last_change.status();
  MigrationRecord record = std::move(counts->front());
  if (!last_change->empty()) record.last_change = std::move(last_change->front());
  return record;
}

absl::Status MigrationTables::PutCounts(const MigrationRecord& record) {
  auto put = SqliteStatement::Prepare(database_, "INSERT OR REPLACE INTO counts VALUES (1, ?1, ?2, ?3, ?4, ?5)");
  if (!put.ok()) return put.status();
  (*put)->Bind(1, OnDisk(record.transactions));
  (*put)->Bind(2, OnDisk(record.phase_transactions));
  (*put)->BindText(3, record.last_transaction_event_id);
  (*put)->Bind(4, OnDisk(record.reports.reports));
  (*put)->Bind(5, OnDisk(record.reports.failures));
  return (*put)->Run();
}

absl::StatusOr<std::vector<PhaseChange>> MigrationTables::Changes(uint64_t before, size_t limit) {
  auto query = SqliteStatement::Prepare(database_, "SELECT * FROM changes WHERE number < ?1 ORDER BY number DESC LIMIT ?2");
  if (!query.ok()) return query.status();
  (*query)->Bind(1, OnDisk(before));
  (*query)->Bind(2, OnDisk(uint64_t{limit}));
  return ReadRows(database_, **query, "changes", ReadChange);
}

absl::StatusOr<std::optional<PhaseChange>> MigrationTables::ChangeOf(const std::string& event_id) {
  auto query = SqliteStatement::Prepare(database_, "SELECT * FROM changes WHERE event_id = ?1 AND event_id <> ''");
  if (!query.ok()) return query.status();
  (*query)->BindText(1, event_id);
  return FirstOf(ReadRows(database_, **query, "changes", ReadChange));
}

absl::Status MigrationTables::AddChange(const PhaseChange& change) {
  auto insert = SqliteStatement::Prepare(database_, "INSERT INTO changes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
  if (!insert.ok()) return insert.status();
  (*insert)->Bind(1, OnDisk(change.number));
  (*insert)->Bind(2, OnDisk(change.from));
  (*insert)->Bind(3, OnDisk(change.to));
  (*insert)->Bind(4, OnDisk(change.forced));
  (*insert)->Bind(5, OnDisk(change.automatic));
  (*insert)->BindText(6, change.reason);
  (*insert)->BindText(7, change.requested_by);
  (*insert)->BindText(8, change.event_id);
  (*insert)->Bind(9, Nanoseconds(change.time));
  (*insert)->Bind(10, OnDisk(change.transactions));
  return (*insert)->Run();
}

absl::StatusOr<bool> MigrationTables::AddCounted(const std::string& event_id) {
  auto insert = SqliteStatement::Prepare(
      database_, "INSERT INTO counted (event_id) VALUES (?1) ON CONFLICT (event_id) DO NOTHING RETURNING number");
  if (!insert.ok()) return insert.status();
  (*insert)->BindText(1, event_id);
  return (*insert)->Step();
}

absl::Status MigrationTables::ForgetOldestCounted(size_t limit) {
  auto remove = SqliteStatement::Prepare(
      database_, "DELETE FROM counted WHERE number <= (SELECT number FROM counted ORDER BY number DESC LIMIT 1 OFFSET ?1)");
  if (!remove.ok()) return remove.status();
  (*remove)->Bind(1, OnDisk(uint64_t{limit}));
  return (*remove)->Run();
}

absl::Status MigrationTables::PutStepBack(const PhaseOrder& order) {
  auto put = SqliteStatement::Prepare(database_, "INSERT OR REPLACE INTO step_back VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
  if (!put.ok()) return put.status();
  (*put)->Bind(1, OnDisk(order.to));
  order.from ? (*put)->Bind(2, OnDisk(*order.from)) : (*put)->BindNull(2);
  (*put)->Bind(3, OnDisk(order.force));
  (*put)->Bind(4, OnDisk(order.automatic));
  (*put)->BindText(5, order.reason);
  (*put)->BindText(6, order.requested_by);
  (*put)->BindText(7, order.event_id);
  (*put)->Bind(8, Nanoseconds(order.time));
  return (*put)->Run();
}

absl::StatusOr<std::optional<PhaseOrder>> MigrationTables::StepBack() {
  auto query = SqliteStatement::Prepare(database_, "SELECT * FROM step_back");
  if (!query.ok()) return query.status();
  return FirstOf(ReadRows(database_, **query, "step_back", ReadStepBack));
}

absl::Status MigrationTables::RemoveStepBack() { return database_.Execute("DELETE FROM step_back"); }

absl::Status MigrationTables::RemoveStepBackOf(const std::string& event_id) {
  auto remove = SqliteStatement::Prepare(database_, "DELETE FROM step_back WHERE event_id = ?1");
  if (!remove.ok()) return remove.status();
  (*remove)->BindText(1, event_id);
  return (*remove)->Run();
}

}  // namespace pvebus::migration
