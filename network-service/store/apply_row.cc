#include "network-service/store/apply_row.h"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/str_join.h"
#include "network-service/store/warnings_codec.h"

namespace pvebus::network {
namespace {

// Their numbers on disk are their places: only added to.
constexpr std::array kSources = {ApplySource::kPending, ApplySource::kRevert, ApplySource::kSdn, ApplySource::kFile,
                                 ApplySource::kRestart};
constexpr std::array kStates = {ApplyState::kApplying,  ApplyState::kAwaitingConfirmation,
                                ApplyState::kReverting, ApplyState::kCommitted,
                                ApplyState::kReverted,  ApplyState::kFailed,
                                ApplyState::kUndoFailed};

ProgramReport ReadReload(SqliteRow& row) {
  return {.exit_code = row.From<int>(12, INT32_MIN, INT32_MAX),
          .timed_out = row.Flag(13),
          .output = row.Text(15),
          .duration = row.Time(14)};
}

void BindTime(SqliteStatement& row, int parameter, const std::optional<SystemTime>& time) {
  time ? row.Bind(parameter, Nanoseconds(*time)) : row.BindNull(parameter);
}

void BindReload(SqliteStatement& row, const std::optional<ProgramReport>& reload) {
  if (!reload) {
    for (const int parameter : {13, 14, 15, 16}) row.BindNull(parameter);
    return;
  }
  row.Bind(13, reload->exit_code);
  row.Bind(14, reload->timed_out ? 1 : 0);
  row.Bind(15, Nanoseconds(reload->duration));
  row.BindBlob(16, reload->output);
}

}  // namespace

ApplyRecord ReadApply(SqliteRow& row) {
  const auto time_at = [&](int column) { return row.IsNull(column) ? std::nullopt : std::optional(row.PointInTime(column)); };
  ApplyRecord record{.number = row.From<int64_t>(0, 1, INT64_MAX),
                     .apply_id = row.Text(1),
                     .request_id = row.Text(2),
                     .source = row.OneOf(3, kSources),
                     .state = row.OneOf(4, kStates),
                     .reason = row.Text(5),
                     .requested_by = row.Text(6),
                     .reverts_apply_id = row.Text(7),
                     .begin_time = row.PointInTime(8),
                     .end_time = time_at(9),
                     .confirm_timeout = row.Time(10),
                     .confirm_until = time_at(11)};
  if (!row.IsNull(12)) record.reload = ReadReload(row);
  record.failure = {.reason = row.Text(16), .message = row.Text(17)};
  record.warnings = row.Meaning(DecodeWarnings(row.Text(18)));
  if (!row.IsNull(19)) record.old_file = row.Text(19);
  record.new_file = row.Text(20);
  record.old_interfaces = row.Text(21);
  record.new_interfaces = row.Text(22);
  record.revert_request_id = row.Text(23);
  return record;
}

void BindApply(SqliteStatement& row, const ApplyRecord& record, const std::string& warnings) {
  record.number == 0 ? row.BindNull(1) : row.Bind(1, record.number);
  row.BindText(2, record.apply_id);
  row.BindText(3, record.request_id);
  row.Bind(4, PlaceOf(kSources, record.source));
  row.Bind(5, PlaceOf(kStates, record.state));
  row.BindText(6, record.reason);
  row.BindText(7, record.requested_by);
  row.BindText(8, record.reverts_apply_id);
  row.Bind(9, Nanoseconds(record.begin_time));
  BindTime(row, 10, record.end_time);
  row.Bind(11, Nanoseconds(record.confirm_timeout));
  BindTime(row, 12, record.confirm_until);
  BindReload(row, record.reload);
  row.BindText(17, record.failure.reason);
  row.BindText(18, record.failure.message);
  row.BindBlob(19, warnings);
  record.old_file ? row.BindBlob(20, *record.old_file) : row.BindNull(20);
  row.BindBlob(21, record.new_file);
  row.BindBlob(22, record.old_interfaces);
  row.BindBlob(23, record.new_interfaces);
  row.BindText(24, record.revert_request_id);
}

std::string StatesOnDisk(Stage stage) {
  std::vector<int64_t> places;
  for (const ApplyState state : kStates) {
    if (IsUnderWay(state) == (stage == Stage::kUnderWay)) places.push_back(PlaceOf(kStates, state));
  }
  return absl::StrJoin(places, ", ");
}

}  // namespace pvebus::network
