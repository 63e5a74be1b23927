#include "sdk/sqlite/database.h"

#include <sqlite3.h>

#include <cerrno>

#include "absl/strings/str_format.h"

namespace pvebus {
namespace {

// SQLite says SQLITE_FULL only where it writes the file or its WAL.
bool IsFull(sqlite3* handle, int result) {
  return (result & 0xff) == SQLITE_FULL || result == SQLITE_IOERR_SHMSIZE ||
         ((result & 0xff) == SQLITE_IOERR && handle && sqlite3_system_errno(handle) == EDQUOT);
}

absl::StatusCode CodeOf(int result) {
  switch (result & 0xff) {
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::StatusCode::kDataLoss;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::StatusCode::kFailedPrecondition;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return absl::StatusCode::kPermissionDenied;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(const std::string& path, const std::string& vfs) {
  sqlite3* handle = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                                     vfs.empty() ? nullptr : vfs.c_str());
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(handle, path));
  if (result != SQLITE_OK) return database->LastError("opening");
  sqlite3_extended_result_codes(handle, 1);
  database->SetBusyTimeout(kBusyTimeout);
  if (auto status = database->Execute("PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                      "PRAGMA foreign_keys=OFF; PRAGMA cache_size=-16000");
      !status.ok()) {
    return status;
  }
  return database;
}

void SqliteDatabase::SetBusyTimeout(std::chrono::milliseconds timeout) {
  sqlite3_busy_timeout(handle_, static_cast<int>(timeout.count()));
}

SqliteDatabase::~SqliteDatabase() { sqlite3_close_v2(handle_); }

absl::Status SqliteDatabase::LastError(std::string_view doing) const {
  const int result = handle_ ? sqlite3_extended_errcode(handle_) : SQLITE_NOMEM;
  const bool full = IsFull(handle_, result);
  const char* why = full ? "the disk or a quota is full" : handle_ ? sqlite3_errmsg(handle_) : "no memory";
  return absl::Status(full ? absl::StatusCode::kResourceExhausted : CodeOf(result),
                      absl::StrFormat("%s %s: %s (SQLite %d)", doing, path_, why, result));
}

absl::Status SqliteDatabase::Execute(const char* sql) {
  return sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) == SQLITE_OK ? absl::OkStatus() : LastError("writing");
}

absl::StatusOr<int64_t> SqliteDatabase::QueryNumber(const char* sql) {
  auto statement = SqliteStatement::Prepare(*this, sql);
  if (!statement.ok()) return statement.status();
  auto row = (*statement)->Step();
  if (!row.ok()) return row.status();
  return *row ? (*statement)->Number(0) : 0;
}

absl::Status SqliteDatabase::CheckStructure() {
  auto statement = SqliteStatement::Prepare(*this, "PRAGMA quick_check(1)");
  if (!statement.ok()) return statement.status();
  auto row = (*statement)->Step();
  if (!row.ok()) return row.status();
  const std::string_view found = *row ? (*statement)->Bytes(0) : "no answer";
  return found == "ok" ? absl::OkStatus() : absl::DataLossError(absl::StrFormat("%s is damaged: %s", path_, found));
}

bool SqliteDatabase::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

absl::StatusOr<std::unique_ptr<SqliteStatement>> SqliteStatement::Prepare(SqliteDatabase& database, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(database.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return database.LastError("preparing");
  }
  return std::unique_ptr<SqliteStatement>(new SqliteStatement(database, statement));
}

SqliteStatement::~SqliteStatement() { sqlite3_finalize(statement_); }

void SqliteStatement::Bind(int parameter, int64_t value) { sqlite3_bind_int64(statement_, parameter, value); }

void SqliteStatement::BindText(int parameter, std::string_view text) {
  sqlite3_bind_text64(statement_, parameter, text.data() ? text.data() : "", text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

void SqliteStatement::BindBlob(int parameter, std::string_view bytes) {
  sqlite3_bind_blob64(statement_, parameter, bytes.data() ? bytes.data() : "", bytes.size(), SQLITE_STATIC);
}

void SqliteStatement::BindNull(int parameter) { sqlite3_bind_null(statement_, parameter); }

absl::Status SqliteStatement::Run() {
  auto row = Step();
  if (!row.ok()) return row.status();
  Reset();
  return absl::OkStatus();
}

absl::StatusOr<bool> SqliteStatement::Step() {
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  absl::Status status;
  if (result != SQLITE_DONE) status = database_.LastError("running a statement on");
  Reset();
  if (!status.ok()) return status;
  return false;
}

void SqliteStatement::Reset() { sqlite3_reset(statement_); }

int64_t SqliteStatement::Number(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view SqliteStatement::Bytes(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return {bytes, static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

bool SqliteStatement::IsNull(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

}  // namespace pvebus
