#include "bus-service/store/delivery_rows.h"

#include <sqlite3.h>

#include "absl/strings/str_format.h"
#include "bus-service/store/damage.h"
#include "bus-service/store/state_codec.h"

namespace pvebus::bus {
namespace {

int64_t Signed(uint64_t value) { return static_cast<int64_t>(value); }

// Of the columns before the checksum: four numbers, two texts, a blob.
int64_t DeliveryChecksum(const SqliteStatement& row) {
  RowChecksum checksum;
  for (int column = 0; column < 4; ++column) checksum.Add(row.Number(column));
  return checksum.Add(row.Bytes(4)).Add(row.Bytes(5)).Add(row.Bytes(6)).value();
}

int64_t ReplayChecksum(const Replay& replay) {
  return RowChecksum()
      .Add(replay.listener)
      .Add(replay.number)
      .Add(replay.replay_id)
      .Add(replay.sequence)
      .Add(uint64_t{replay.dry_run})
      .Add(replay.dead_letter_id)
      .value();
}

}  // namespace

absl::Status DeliveryRows::Prepare() {
  return sql_.Prepare({
      "INSERT OR REPLACE INTO deliveries VALUES (?1,?2,?3,?4,?5,?6,?7,?8)",
      "DELETE FROM deliveries WHERE sequence < ?1",
      "SELECT * FROM deliveries WHERE sequence = ?1 ORDER BY listener_id",
      "SELECT * FROM deliveries WHERE sequence = ?1 AND listener_id = ?2",
      "SELECT * FROM deliveries WHERE (sequence, listener_id) >= (?1, ?2) ORDER BY sequence, listener_id LIMIT ?3",
      "INSERT OR REPLACE INTO replays VALUES (?1,?2,?3,?4,?5,?6,?7)",
      "DELETE FROM replays WHERE listener_id = ?1 AND number = ?2",
      R"sql(DELETE FROM replays WHERE listener_id = ?1
            AND number IN (SELECT number FROM replays WHERE listener_id = ?1 ORDER BY number LIMIT ?2))sql",
      "SELECT * FROM replays WHERE listener_id = ?1 AND number > ?2 ORDER BY number LIMIT ?3",
      "SELECT * FROM replays ORDER BY listener_id, number",
  });
}

absl::Status DeliveryRows::Put(ListenerId listener, const DeliveryRecord& delivery) {
  static const std::string kNothing;
  const std::string& reason = delivery.error ? delivery.error->reason : kNothing;
  const std::string& message = delivery.error ? delivery.error->message : kNothing;
  const std::string detail = EncodeDetail(delivery);
  SqliteStatement& put = sql_[kPut];
  RowChecksum checksum;
  int parameter = 0;
  for (const uint64_t value :
       {delivery.sequence, listener, static_cast<uint64_t>(delivery.state), static_cast<uint64_t>(delivery.attempt)}) {
    put.Bind(++parameter, Signed(value));
    checksum.Add(value);
  }
  put.BindText(5, reason);
  put.BindText(6, message);
  put.BindBlob(7, detail);
  put.Bind(8, checksum.Add(reason).Add(message).Add(detail).value());
  return put.Run();
}

absl::StatusOr<DeliveryRecord> DeliveryRows::Get(ListenerId listener, Sequence sequence) {
  sql_[kGet].Bind(1, Signed(sequence));
  sql_[kGet].Bind(2, Signed(listener));
  auto found = Read(sql_[kGet]);
  if (!found.ok()) return found.status();
  if (!found->empty()) return std::move(found->front().second);
  DeliveryRecord delivery;
  delivery.sequence = sequence;
  return delivery;
}

absl::Status DeliveryRows::PutRedriven(ListenerId listener, DeliveryRecord delivery) {
  auto before = Get(listener, delivery.sequence);
  if (!before.ok()) return before.status();
  delivery.attempts = std::move(before->attempts);
  return Put(listener, delivery);
}

absl::Status DeliveryRows::AddAttempt(ListenerId listener, Sequence sequence, AttemptRecord attempt) {
  auto delivery = Get(listener, sequence);
  if (!delivery.ok()) return delivery.status();
  if (delivery->instance_id.empty()) delivery->instance_id = attempt.instance_id;
  AddNewest(delivery->attempts, std::move(attempt));
  return Put(listener, *delivery);
}

absl::Status DeliveryRows::DropBefore(Sequence sequence) {
  sql_[kDropBefore].Bind(1, Signed(sequence));
  return sql_[kDropBefore].Run();
}

absl::StatusOr<bool> DeliveryRows::DropReplays(ListenerId listener, size_t most) {
  sql_[kDropReplays].Bind(1, Signed(listener));
  sql_[kDropReplays].Bind(2, Signed(most));
  if (auto status = sql_[kDropReplays].Run(); !status.ok()) return status;
  return static_cast<size_t>(sqlite3_changes(sql_.database().handle())) == most;
}

absl::StatusOr<std::pair<ListenerId, DeliveryRecord>> DeliveryRows::Current(const SqliteStatement& row) {
  const auto listener = static_cast<ListenerId>(row.Number(1));
  DeliveryRecord delivery;
  delivery.sequence = static_cast<Sequence>(row.Number(0));
  delivery.state = static_cast<DeliveryState>(row.Number(2));
  delivery.attempt = static_cast<uint32_t>(row.Number(3));
  if (row.Number(7) != DeliveryChecksum(row) || !DecodeDetail(row.Bytes(6), delivery)) {
    return Damaged(
        "deliveries", delivery.sequence,
        absl::StrFormat("the delivery of event %d to listener %d does not match its checksum", delivery.sequence, listener));
  }
  if (delivery.error) {
    delivery.error->reason = row.Bytes(4);
    delivery.error->message = row.Bytes(5);
  }
  return std::pair(listener, std::move(delivery));
}

absl::StatusOr<StateLog::Deliveries> DeliveryRows::Read(SqliteStatement& query) {
  StateLog::Deliveries deliveries;
  auto status = ForEachRow(query, [&](const SqliteStatement& row) -> absl::Status {
    auto delivery = Current(row);
    if (!delivery.ok()) return delivery.status();
    deliveries.push_back(*std::move(delivery));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return deliveries;
}

absl::StatusOr<StateLog::Deliveries> DeliveryRows::OfEvent(Sequence sequence) {
  sql_[kOfEvent].Bind(1, Signed(sequence));
  return Read(sql_[kOfEvent]);
}

absl::StatusOr<bool> DeliveryRows::Scan(Place& place, size_t most, Sequence wanted, const Visit& visit) {
  sql_[kFrom].Bind(1, place.sequence);
  sql_[kFrom].Bind(2, place.listener);
  sql_[kFrom].Bind(3, Signed(most));
  size_t rows = 0;
  auto status = ForEachRow(sql_[kFrom], [&](const SqliteStatement& row) {
    ++rows;
    place = {row.Number(0), row.Number(1) + 1};
    const bool intact = row.Number(0) > 0 && row.Number(7) == DeliveryChecksum(row);
    if (!intact || static_cast<Sequence>(row.Number(0)) >= wanted) visit(Current(row));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return rows == most;
}

absl::Status DeliveryRows::PutReplay(const Replay& replay) {
  SqliteStatement& put = sql_[kPutReplay];
  put.Bind(1, Signed(replay.listener));
  put.Bind(2, Signed(replay.number));
  put.BindText(3, replay.replay_id);
  put.Bind(4, Signed(replay.sequence));
  put.Bind(5, replay.dry_run);
  put.Bind(6, Signed(replay.dead_letter_id));
  put.Bind(7, ReplayChecksum(replay));
  return put.Run();
}

absl::Status DeliveryRows::RemoveReplay(ListenerId listener, uint64_t number) {
  sql_[kRemoveReplay].Bind(1, Signed(listener));
  sql_[kRemoveReplay].Bind(2, Signed(number));
  return sql_[kRemoveReplay].Run();
}

absl::StatusOr<Replay> DeliveryRows::CurrentReplay(const SqliteStatement& row) {
  Replay replay;
  replay.listener = static_cast<ListenerId>(row.Number(0));
  replay.number = static_cast<uint64_t>(row.Number(1));
  replay.replay_id = row.Bytes(2);
  replay.sequence = static_cast<Sequence>(row.Number(3));
  replay.dry_run = row.Number(4) != 0;
  replay.dead_letter_id = static_cast<uint64_t>(row.Number(5));
  if (row.Number(6) == ReplayChecksum(replay)) return replay;
  return Damaged("replays", replay.sequence,
                 absl::StrFormat("replay %d of listener %d does not match its checksum", replay.number, replay.listener));
}

absl::Status DeliveryRows::ForEachReplay(const std::function<void(absl::StatusOr<Replay>)>& visit) {
  return ForEachRow(sql_[kAllReplays], [&](const SqliteStatement& row) {
    visit(CurrentReplay(row));
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<Replay>> DeliveryRows::ReplaysAfter(ListenerId listener, uint64_t number, size_t most) {
  SqliteStatement& query = sql_[kReplaysAfter];
  query.Bind(1, Signed(listener));
  query.Bind(2, Signed(number));
  query.Bind(3, Signed(most));
  std::vector<Replay> replays;
  auto status = ForEachRow(query, [&](const SqliteStatement& row) {
    auto replay = CurrentReplay(row);
    if (replay.ok()) replays.push_back(*replay);
    return replay.status();
  });
  if (!status.ok()) return status;
  return replays;
}

}  // namespace pvebus::bus
