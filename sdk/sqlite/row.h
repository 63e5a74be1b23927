#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "sdk/base/clock.h"
#include "sdk/sqlite/database.h"

namespace pvebus {

// Reads a row and knows whether all of it meant something: what it returns for what means nothing is any value. Columns count
// from 0. One thread; the row of the statement's last step.
class SqliteRow {
 public:
  // Requires: outlives this.
  explicit SqliteRow(const SqliteStatement& statement) : statement_(statement) {}
  bool ok() const { return ok_; }

  bool IsNull(int column) const { return statement_.IsNull(column); }
  std::string Text(int column) const { return std::string(statement_.Bytes(column)); }
  bool Flag(int column) const { return statement_.Number(column) != 0; }
  Duration Time(int column) const { return Duration(statement_.Number(column)); }
  SystemTime PointInTime(int column) const { return SystemTime(std::chrono::duration_cast<SystemTime::duration>(Time(column))); }
  template <typename Number>
  Number From(int column, int64_t least, int64_t most) {
    const int64_t number = statement_.Number(column);
    ok_ = ok_ && number >= least && number <= most;
    return static_cast<Number>(number);
  }
  // One of several values, kept as its place among them.
  template <typename Values>
  auto OneOf(int column, const Values& values) {
    const auto place = From<size_t>(column, 0, static_cast<int64_t>(values.size()) - 1);
    return place < values.size() ? values[place] : values[0];
  }
  template <typename Value>
  Value Meaning(std::optional<Value> value) {
    ok_ = ok_ && value.has_value();
    return std::move(value).value_or(Value{});
  }

 private:
  const SqliteStatement& statement_;
  bool ok_ = true;
};

// What SqliteRow::OneOf reads back.
template <typename Values, typename Value>
int64_t PlaceOf(const Values& values, Value value) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] == value) return static_cast<int64_t>(i);
  }
  return -1;
}

// What SqliteRow::Time and PointInTime read back.
inline int64_t Nanoseconds(Duration duration) { return duration.count(); }
inline int64_t Nanoseconds(SystemTime time) { return Nanoseconds(std::chrono::duration_cast<Duration>(time.time_since_epoch())); }

// All that `query` finds in `table`, each as `read` makes it of a SqliteRow. A row that means nothing is DATA_LOSS, and named by
// its first column.
template <typename Read>
auto ReadRows(const SqliteDatabase& database, SqliteStatement& query, std::string_view table, Read read)
    -> absl::StatusOr<std::vector<std::invoke_result_t<Read, SqliteRow&>>> {
  std::vector<std::invoke_result_t<Read, SqliteRow&>> values;
  for (;;) {
    const auto found = query.Step();
    if (!found.ok()) return found.status();
    if (!*found) return values;
    SqliteRow row(query);
    values.push_back(read(row));
    if (!row.ok()) {
      return absl::DataLossError(
          absl::StrFormat("reading %s: the row %s of %s means nothing", database.path(), query.Bytes(0), table));
    }
  }
}

}  // namespace pvebus
