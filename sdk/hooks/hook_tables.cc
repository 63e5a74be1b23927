#include "sdk/hooks/hook_tables.h"

#include "absl/strings/str_format.h"
#include "google/protobuf/util/time_util.h"
#include "sdk/base/utf8.h"
#include "sdk/sqlite/transaction.h"

namespace pvebus::hooks {
namespace {

using google::protobuf::util::TimeUtil;

constexpr char kPutExecution[] = "INSERT INTO executions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
constexpr char kPutStatistics[] = R"sql(
  INSERT INTO statistics VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
  ON CONFLICT (hook) DO UPDATE SET
    total = total + excluded.total,
    succeeded = succeeded + excluded.succeeded,
    failed = failed + excluded.failed,
    skipped = skipped + excluded.skipped,
    min_ns = CASE WHEN excluded.measured = 0 THEN min_ns WHEN measured = 0 THEN excluded.min_ns ELSE min(min_ns, excluded.min_ns) END,
    max_ns = max(max_ns, excluded.max_ns),
    sum_ns = sum_ns + excluded.sum_ns,
    measured = measured + excluded.measured
)sql";
constexpr char kPutSuccess[] =
    "INSERT INTO successes (event_id, hook, attempt) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING RETURNING 1";
constexpr char kAdd[] = R"sql(
  INSERT INTO kept VALUES (?1, ?2, ?3, (SELECT max(success_id) FROM successes))
  ON CONFLICT (name) DO UPDATE SET number = number + excluded.number, text = excluded.text, changed = excluded.changed
)sql";
constexpr char kKeepNewest[] = R"sql(
  INSERT INTO kept VALUES (?1, ?2, ?3, (SELECT max(success_id) FROM successes))
  ON CONFLICT (name) DO UPDATE SET number = excluded.number, text = excluded.text, changed = excluded.changed
  WHERE excluded.number > number
)sql";
constexpr char kErase[] = "DELETE FROM kept WHERE name = ?1";
constexpr char kClear[] = "DELETE FROM executions WHERE execution_id <= ?1";
constexpr char kForgetStatistics[] = "DELETE FROM statistics WHERE hook = ?1";
constexpr char kForgetExecutions[] =
    "DELETE FROM executions WHERE execution_id <= (SELECT max(execution_id) FROM executions) - ?1";
constexpr char kForgetSuccesses[] = "DELETE FROM successes WHERE success_id <= (SELECT max(success_id) FROM successes) - ?1";
constexpr char kFind[] = "SELECT hook, attempt FROM successes WHERE event_id = ?1";

// The file may have been touched, and the contract wants UTF-8.
std::string Text(const SqliteStatement& row, int column) { return CleanUtf8(row.Bytes(column), row.Bytes(column).size()); }

bus::v1::HookExecution ExecutionOf(const SqliteStatement& row) {
  bus::v1::HookExecution execution;
  execution.set_execution_id(static_cast<uint64_t>(row.Number(0)));
  execution.set_event_id(Text(row, 1));
  execution.set_attempt(static_cast<uint32_t>(row.Number(3)));
  execution.set_resource(Text(row, 4));
  *execution.mutable_start_time() = TimeUtil::NanosecondsToTimestamp(row.Number(5));
  bus::v1::HookResult& result = *execution.mutable_result();
  result.set_hook(Text(row, 2));
  *result.mutable_duration() = TimeUtil::NanosecondsToDuration(row.Number(6));
  result.set_state(static_cast<bus::v1::HookState>(row.Number(7)));
  result.set_resource(Text(row, 8));
  result.set_before(Text(row, 9));
  result.set_after(Text(row, 10));
  result.set_message(Text(row, 11));
  if (!row.IsNull(12)) result.set_exit_code(static_cast<int32_t>(row.Number(12)));
  result.set_output(Text(row, 13));
  return execution;
}

HookCounts CountsOf(const SqliteStatement& row) {
  const auto count = [&](int column) { return static_cast<uint64_t>(row.Number(column)); };
  const auto duration = [&](int column) { return std::chrono::nanoseconds(row.Number(column)); };
  return {.total = count(1),
          .succeeded = count(2),
          .failed = count(3),
          .skipped = count(4),
          .measured = count(5),
          .sum = duration(6),
          .min = duration(7),
          .max = duration(8)};
}

// Calls `take` for every row.
template <typename Take>
absl::Status Select(SqliteDatabase& database, const char* sql, Take take) {
  auto rows = SqliteStatement::Prepare(database, sql);
  if (!rows.ok()) return rows.status();
  while (true) {
    auto row = (*rows)->Step();
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
    take(**rows);
  }
}

}  // namespace

struct HookTables::Statements {
  std::unique_ptr<SqliteStatement> put_execution, put_statistics, put_success, add, keep_newest, erase, clear, forget_statistics,
      forget_executions, forget_successes;
};

absl::StatusOr<std::unique_ptr<HookTables>> HookTables::Open(SqliteDatabase& database, HookTableLimits limits) {
  auto statements = std::make_unique<Statements>();
  const std::pair<std::unique_ptr<SqliteStatement>*, const char*> all[] = {
      {&statements->put_execution, kPutExecution},
      {&statements->put_statistics, kPutStatistics},
      {&statements->put_success, kPutSuccess},
      {&statements->add, kAdd},
      {&statements->keep_newest, kKeepNewest},
      {&statements->erase, kErase},
      {&statements->clear, kClear},
      {&statements->forget_statistics, kForgetStatistics},
      {&statements->forget_executions, kForgetExecutions},
      {&statements->forget_successes, kForgetSuccesses},
  };
  for (const auto& [statement, sql] : all) {
    auto prepared = SqliteStatement::Prepare(database, sql);
    if (!prepared.ok()) return prepared.status();
    *statement = *std::move(prepared);
  }
  return std::unique_ptr<HookTables>(new HookTables(database, limits, std::move(statements)));
}

HookTables::HookTables(SqliteDatabase& database, HookTableLimits limits, std::unique_ptr<Statements> statements)
    : database_(database), limits_(limits), statements_(std::move(statements)) {}

HookTables::~HookTables() = default;

absl::StatusOr<RecoveredHooks> HookTables::Load() {
  RecoveredHooks recovered;
  const std::string newest_executions = absl::StrFormat(
      "SELECT * FROM (SELECT * FROM executions ORDER BY execution_id DESC LIMIT %d) ORDER BY execution_id", limits_.executions);
  absl::Status status = Select(database_, newest_executions.c_str(),
                               [&](const SqliteStatement& row) { recovered.executions.push_back(ExecutionOf(row)); });
  if (!status.ok()) return status;
  auto last = database_.QueryNumber("SELECT seq FROM sqlite_sequence WHERE name = 'executions'");
  if (!last.ok()) return last.status();
  recovered.last_execution_id = static_cast<uint64_t>(*last);
  status = Select(database_, "SELECT * FROM statistics",
                  [&](const SqliteStatement& row) { recovered.counts[Text(row, 0)] = CountsOf(row); });
  if (!status.ok()) return status;
  status = Select(database_, "SELECT name, number, text FROM kept ORDER BY changed", [&](const SqliteStatement& row) {
    recovered.kept.emplace_back(Text(row, 0), KeptValue{row.Number(1), Text(row, 2)});
  });
  if (!status.ok()) return status;
  return recovered;
}

absl::Status HookTables::Write(const std::vector<const HookWrite*>& writes) {
  SqliteTransaction transaction(database_);
  absl::Status status = transaction.Begin();
  for (const HookWrite* write : writes) {
    if (status.ok()) status = WriteRows(*write);
  }
  if (status.ok()) status = ForgetOldest();
  return transaction.End(status);
}

absl::Status HookTables::WriteRows(const HookWrite& write) {
  absl::Status status;
  for (const bus::v1::HookExecution& execution : write.executions) {
    if (status.ok()) status = PutExecution(execution);
  }
  for (const HookRecord& record : write.run.records) {
    if (status.ok() && !record.part) status = PutStatistics(record);
    if (status.ok() && write.run.Succeeded(record)) status = PutSuccess(write.run, record);
  }
  if (status.ok() && write.clear_up_to != 0) {
    statements_->clear->Bind(1, static_cast<int64_t>(write.clear_up_to));
    status = statements_->clear->Run();
  }
  if (status.ok() && !write.forget_hook.empty()) {
    statements_->forget_statistics->BindText(1, write.forget_hook);
    status = statements_->forget_statistics->Run();
  }
  return status;
}

absl::Status HookTables::PutExecution(const bus::v1::HookExecution& execution) {
  SqliteStatement& put = *statements_->put_execution;
  const bus::v1::HookResult& result = execution.result();
  put.Bind(1, static_cast<int64_t>(execution.execution_id()));
  put.BindText(2, execution.event_id());
  put.BindText(3, result.hook());
  put.Bind(4, execution.attempt());
  put.BindText(5, execution.resource());
  put.Bind(6, TimeUtil::TimestampToNanoseconds(execution.start_time()));
  put.Bind(7, TimeUtil::DurationToNanoseconds(result.duration()));
  put.Bind(8, result.state());
  put.BindText(9, result.resource());
  put.BindText(10, result.before());
  put.BindText(11, result.after());
  put.BindText(12, result.message());
  if (result.has_exit_code()) {
    put.Bind(13, result.exit_code());
  } else {
    put.BindNull(13);
  }
  put.BindText(14, result.output());
  return put.Run();
}

absl::Status HookTables::PutStatistics(const HookRecord& record) {
  HookCounts one;
  one.Add(record);
  SqliteStatement& put = *statements_->put_statistics;
  put.BindText(1, record.result.hook());
  int column = 1;
  for (const uint64_t count : {one.total, one.succeeded, one.failed, one.skipped, one.measured}) {
    put.Bind(++column, static_cast<int64_t>(count));
  }
  for (const Duration duration : {one.sum, one.min, one.max}) {
    put.Bind(++column, std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count());
  }
  return put.Run();
}

absl::Status HookTables::PutSuccess(const ChainRun& run, const HookRecord& record) {
  const std::string name = record.SuccessName();
  SqliteStatement& put = *statements_->put_success;
  put.BindText(1, run.event_id);
  put.BindText(2, name);
  put.Bind(3, run.attempt);
  const absl::StatusOr<bool> is_new = put.Step();
  put.Reset();
  // Kept already, when the hook had succeeded before: each event counts once.
  if (!is_new.ok() || !*is_new) return is_new.status();
  for (const KeptChange& change : record.kept) {
    if (absl::Status status = Keep(change); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status HookTables::Keep(const KeptChange& change) {
  const bool erase = change.kind == KeptChange::Kind::kErase;
  SqliteStatement& put = erase                                   ? *statements_->erase
                         : change.kind == KeptChange::Kind::kAdd ? *statements_->add
                                                                 : *statements_->keep_newest;
  put.BindText(1, change.name);
  if (!erase) {
    put.Bind(2, change.number);
    put.BindText(3, change.text);
  }
  return put.Run();
}

absl::Status HookTables::ForgetOldest() {
  statements_->forget_executions->Bind(1, static_cast<int64_t>(limits_.executions));
  if (absl::Status status = statements_->forget_executions->Run(); !status.ok()) return status;
  statements_->forget_successes->Bind(1, static_cast<int64_t>(limits_.successes));
  return statements_->forget_successes->Run();
}

absl::StatusOr<std::unique_ptr<SuccessLookup>> SuccessLookup::Open(const std::string& path, const std::string& vfs) {
  auto database = SqliteDatabase::Open(path, vfs);
  if (!database.ok()) return database.status();
  auto find = SqliteStatement::Prepare(**database, kFind);
  if (!find.ok()) return find.status();
  return std::unique_ptr<SuccessLookup>(new SuccessLookup(*std::move(database), *std::move(find)));
}

absl::StatusOr<SucceededHooks> SuccessLookup::Find(const std::string& event_id) {
  SucceededHooks hooks;
  find_->BindText(1, event_id);
  while (true) {
    auto row = find_->Step();
    if (!row.ok()) return row.status();
    if (!*row) return hooks;
    // As it was written: the name of a part may be any bytes.
    hooks.try_emplace(std::string(find_->Bytes(0)), static_cast<uint32_t>(find_->Number(1)));
  }
}

}  // namespace pvebus::hooks
