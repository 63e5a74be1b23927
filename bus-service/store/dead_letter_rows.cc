#include "bus-service/store/dead_letter_rows.h"

#include <sqlite3.h>

#include "absl/strings/str_format.h"
#include "bus-service/store/damage.h"
#include "bus-service/store/state_codec.h"

namespace pvebus::bus {
namespace {

int64_t Signed(uint64_t value) { return static_cast<int64_t>(value); }

int64_t ChecksumOf(int64_t id, int64_t listener, int64_t bytes, std::string_view name, int64_t time, std::string_view redrive_id,
                   std::string_view delivery, std::string_view event) {
  return RowChecksum().Add(id).Add(listener).Add(bytes).Add(name).Add(time).Add(redrive_id).Add(delivery).Add(event).value();
}

}  // namespace

size_t BytesOf(const DeadLetter& letter) {
  size_t bytes = 512 + letter.delivery.hook_results.size();
  if (letter.event) bytes += letter.event->Bytes();
  for (const AttemptRecord& attempt : letter.delivery.attempts) bytes += 128 + attempt.error.message.size();
  return bytes;
}

absl::Status DeadLetterRows::Prepare() {
  return sql_.Prepare({
      "INSERT OR REPLACE INTO dead_letters VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9)",
      "SELECT 1 FROM dead_letters WHERE dead_letter_id = ?1",
      "DELETE FROM dead_letters WHERE dead_letter_id = ?1",
      "SELECT dead_letter_id, bytes FROM dead_letters INDEXED BY dead_letters_by_listener WHERE listener_id = ?1 LIMIT ?2",
      "SELECT * FROM dead_letters WHERE dead_letter_id = ?1",
      "SELECT dead_letter_id, listener_id, bytes FROM dead_letters INDEXED BY dead_letters_by_listener",
  });
}

absl::StatusOr<bool> DeadLetterRows::Put(const DeadLetter& letter) {
  sql_[kExists].Bind(1, Signed(letter.id));
  auto existed = sql_[kExists].Step();
  if (!existed.ok()) return existed.status();
  sql_[kExists].Reset();
  RecordWriter delivery;
  EncodeDelivery(letter.delivery, delivery);
  const std::string event = EncodeEvent(*letter.event);
  const auto bytes = static_cast<int64_t>(BytesOf(letter));
  SqliteStatement& put = sql_[kPut];
  put.Bind(1, Signed(letter.id));
  put.Bind(2, Signed(letter.listener));
  put.Bind(3, bytes);
  put.BindText(4, letter.listener_name);
  put.Bind(5, ToNanos(letter.time));
  put.BindText(6, letter.redrive_id);
  put.BindBlob(7, delivery.bytes());
  put.BindBlob(8, event);
  put.Bind(9, ChecksumOf(Signed(letter.id), Signed(letter.listener), bytes, letter.listener_name, ToNanos(letter.time),
                         letter.redrive_id, delivery.bytes(), event));
  if (auto status = put.Run(); !status.ok()) return status;
  return !*existed;
}

absl::StatusOr<bool> DeadLetterRows::Remove(uint64_t id) {
  sql_[kRemove].Bind(1, Signed(id));
  if (auto status = sql_[kRemove].Run(); !status.ok()) return status;
  return sqlite3_changes(sql_.database().handle()) > 0;
}

absl::StatusOr<DeadLetterRows::Dropped> DeadLetterRows::DropSome(ListenerId listener, size_t most, uint64_t most_bytes) {
  sql_[kOfListener].Bind(1, Signed(listener));
  sql_[kOfListener].Bind(2, Signed(most));
  std::vector<uint64_t> ids;
  uint64_t bytes = 0;
  Dropped dropped;
  size_t found = 0;
  auto status = ForEachRow(sql_[kOfListener], [&](const SqliteStatement& row) {
    ++found;
    bytes += static_cast<uint64_t>(row.Number(1));
    if (ids.empty() || bytes <= most_bytes) ids.push_back(static_cast<uint64_t>(row.Number(0)));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  for (const uint64_t id : ids) {
    auto removed = Remove(id);
    if (!removed.ok()) return removed.status();
    dropped.count += *removed;
  }
  dropped.more = ids.size() < found || found == most;
  return dropped;
}

absl::StatusOr<DeadLetter> DeadLetterRows::Get(uint64_t id) {
  SqliteStatement& query = sql_[kGet];
  query.Bind(1, Signed(id));
  DeadLetter letter;
  auto status = ForEachRow(query, [&](const SqliteStatement& row) {
    auto event = std::make_shared<Event>();
    const int64_t checksum = ChecksumOf(row.Number(0), row.Number(1), row.Number(2), row.Bytes(3), row.Number(4), row.Bytes(5),
                                        row.Bytes(6), row.Bytes(7));
    if (row.Number(8) != checksum || !DecodeDelivery(row.Bytes(6), letter.delivery) || !DecodeEvent(row.Bytes(7), *event)) {
      return Damaged("dead_letters", 0, absl::StrFormat("dead letter %d does not match its checksum", id));
    }
    letter.id = id;
    letter.listener = static_cast<ListenerId>(row.Number(1));
    letter.listener_name = row.Bytes(3);
    letter.time = FromNanos(row.Number(4));
    letter.redrive_id = row.Bytes(5);
    letter.event = std::move(event);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return letter;
}

absl::Status DeadLetterRows::ForEachKey(const std::function<void(uint64_t, ListenerId, uint64_t)>& key) {
  return ForEachRow(sql_[kKeys], [&](const SqliteStatement& row) {
    key(static_cast<uint64_t>(row.Number(0)), static_cast<ListenerId>(row.Number(1)), static_cast<uint64_t>(row.Number(2)));
    return absl::OkStatus();
  });
}

}  // namespace pvebus::bus
