#include "bus-service/store/journal_row.h"

#include <array>

#include "bus-service/store/damage.h"
#include "bus-service/store/record_codec.h"

namespace pvebus::bus {
namespace {

constexpr size_t kColumns = 9;

std::array<int64_t, kColumns> ColumnsOf(const JournalState& state) {
  return {static_cast<int64_t>(state.commits),
          static_cast<int64_t>(state.first_sequence),
          static_cast<int64_t>(state.last_sequence),
          state.last_publish_time,
          static_cast<int64_t>(state.last_listener_id),
          static_cast<int64_t>(state.last_dead_letter_id),
          static_cast<int64_t>(state.last_replay_number),
          static_cast<int64_t>(state.dead_letters),
          static_cast<int64_t>(state.hash_seed)};
}

int64_t ChecksumOf(const std::array<int64_t, kColumns>& columns) {
  RowChecksum checksum;
  for (const int64_t value : columns) checksum.Add(value);
  return checksum.value();
}

}  // namespace

absl::Status JournalRow::Prepare() {
  return sql_.Prepare(
      {"INSERT OR REPLACE INTO journal VALUES (1,?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)", "SELECT * FROM journal WHERE id = 1"});
}

absl::Status JournalRow::Put(const JournalState& state) {
  const auto columns = ColumnsOf(state);
  SqliteStatement& put = sql_[kPut];
  for (size_t i = 0; i < kColumns; ++i) put.Bind(static_cast<int>(i) + 1, columns[i]);
  put.Bind(kColumns + 1, ChecksumOf(columns));
  return put.Run();
}

absl::StatusOr<JournalState> JournalRow::Get() {
  SqliteStatement& row = sql_[kGet];
  auto more = row.Step();
  if (!more.ok()) return more.status();
  if (!*more) return absl::NotFoundError("journal has no row");
  std::array<int64_t, kColumns> columns;
  for (size_t i = 0; i < kColumns; ++i) columns[i] = row.Number(static_cast<int>(i) + 1);
  const bool intact = row.Number(kColumns + 1) == ChecksumOf(columns);
  row.Reset();
  if (!intact) return Damaged("journal", 0, "the row of journal does not match its checksum");
  JournalState state;
  state.commits = static_cast<uint64_t>(columns[0]);
  state.first_sequence = static_cast<Sequence>(columns[1]);
  state.last_sequence = static_cast<Sequence>(columns[2]);
  state.last_publish_time = columns[3];
  state.last_listener_id = static_cast<ListenerId>(columns[4]);
  state.last_dead_letter_id = static_cast<uint64_t>(columns[5]);
  state.last_replay_number = static_cast<uint64_t>(columns[6]);
  state.dead_letters = static_cast<uint64_t>(columns[7]);
  state.hash_seed = static_cast<uint64_t>(columns[8]);
  return state;
}

}  // namespace pvebus::bus
