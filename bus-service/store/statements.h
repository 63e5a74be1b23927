#pragma once

#include <initializer_list>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "sdk/sqlite/database.h"

namespace pvebus::bus {

// The prepared statements of one table. One thread at a time.
class Statements {
 public:
  // Requires: `database` outlives this.
  explicit Statements(SqliteDatabase& database) : database_(database) {}

  absl::Status Prepare(std::initializer_list<const char*> all);
  SqliteStatement& operator[](size_t index) { return *statements_[index]; }
  SqliteDatabase& database() { return database_; }

 private:
  SqliteDatabase& database_;
  std::vector<std::unique_ptr<SqliteStatement>> statements_;
};

// Runs a query and calls `row` for each of its rows; ends it in any case.
template <typename Row>
absl::Status ForEachRow(SqliteStatement& query, Row row) {
  for (;;) {
    auto more = query.Step();
    if (!more.ok()) return more.status();
    if (!*more) return absl::OkStatus();
    if (absl::Status status = row(query); !status.ok()) {
      query.Reset();
      return status;
    }
  }
}

}  // namespace pvebus::bus
