#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct sqlite3;
struct sqlite3_stmt;

namespace pvebus {

// An open SQLite file. One thread at a time.
//
// Errors: RESOURCE_EXHAUSTED when the disk or a quota is full, DATA_LOSS when the file is damaged or no database,
// FAILED_PRECONDITION when another process holds it, PERMISSION_DENIED, INTERNAL for the rest; each names the file and what
// SQLite said.
class SqliteDatabase {
 public:
  // Opens, or creates, with WAL and synchronous=FULL. `vfs` is for tests; empty for the system's.
  static absl::StatusOr<std::unique_ptr<SqliteDatabase>> Open(const std::string& path, const std::string& vfs = {});
  ~SqliteDatabase();
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;

  // One or more statements without results.
  absl::Status Execute(const char* sql);
  // The value of the first column of the first row; 0 when there is none.
  absl::StatusOr<int64_t> QueryNumber(const char* sql);
  // DATA_LOSS when the pages do not fit together: a row that a page has forgotten has no checksum to miss it by. Reads the whole
  // file.
  absl::Status CheckStructure();
  // How long a statement waits for other connections.
  static constexpr std::chrono::milliseconds kBusyTimeout{2000};
  void SetBusyTimeout(std::chrono::milliseconds timeout);
  // True while a transaction is open.
  bool in_transaction() const;
  const std::string& path() const { return path_; }
  sqlite3* handle() { return handle_; }

  // What the last call that failed said, as a status.
  absl::Status LastError(std::string_view doing) const;

 private:
  SqliteDatabase(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}

  sqlite3* const handle_;
  const std::string path_;
};

// A prepared statement. Bind all of its parameters, then Run or Step; what is bound by reference must live until then.
class SqliteStatement {
 public:
  static absl::StatusOr<std::unique_ptr<SqliteStatement>> Prepare(SqliteDatabase& database, const char* sql);
  ~SqliteStatement();
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;

  // Parameters count from 1.
  void Bind(int parameter, int64_t value);
  void BindText(int parameter, std::string_view text);
  void BindBlob(int parameter, std::string_view bytes);
  void BindNull(int parameter);

  // Executes a statement without results and makes it ready for the next time.
  absl::Status Run();
  // True when there is a row, false after the last, when the statement is ready for the next time.
  absl::StatusOr<bool> Step();
  // Ends a query before its last row.
  void Reset();

  // Columns count from 0; views live until the next Step.
  int64_t Number(int column) const;
  std::string_view Bytes(int column) const;
  bool IsNull(int column) const;

 private:
  SqliteStatement(SqliteDatabase& database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}

  SqliteDatabase& database_;
  sqlite3_stmt* const statement_;
};

}  // namespace pvebus
