#include "bus-service/store/event_rows.h"

#include "absl/strings/str_format.h"
#include "bus-service/store/damage.h"
#include "bus-service/store/state_codec.h"

namespace pvebus::bus {
namespace {

int64_t ChecksumOf(int64_t sequence, int64_t publish_time, int64_t type, int64_t parent, std::string_view event_id,
                   std::string_view record, std::string_view body) {
  return RowChecksum().Add(sequence).Add(publish_time).Add(type).Add(parent).Add(event_id).Add(record).Add(body).value();
}

}  // namespace

absl::Status EventRows::Prepare() {
  return sql_.Prepare({
      "INSERT INTO events VALUES (?1,?2,?3,?4,?5,?6,?7,?8)",
      "DELETE FROM events WHERE sequence >= ?1 AND sequence < ?2",
      "SELECT * FROM events WHERE sequence >= ?1 ORDER BY sequence",
      "SELECT sequence FROM events WHERE parent_sequence = ?1 AND parent_sequence <> 0 ORDER BY sequence LIMIT ?2",
      "SELECT max(sequence) FROM events",
  });
}

absl::StatusOr<int64_t> EventRows::Put(const Event& event) {
  record_.Clear();
  EncodeEventRecord(event, record_);
  const auto sequence = static_cast<int64_t>(event.sequence);
  const int64_t time = ToNanos(event.publish_time);
  const auto type = static_cast<int64_t>(event.type);
  const auto parent = event.ancestors.empty() ? 0 : static_cast<int64_t>(event.ancestors.back());
  const int64_t checksum = ChecksumOf(sequence, time, type, parent, event.event_id, record_.bytes(), event.body);
  SqliteStatement& put = sql_[kPut];
  put.Bind(1, sequence);
  put.Bind(2, time);
  put.Bind(3, type);
  put.Bind(4, parent);
  put.BindText(5, event.event_id);
  put.BindBlob(6, record_.bytes());
  put.BindBlob(7, event.body);
  put.Bind(8, checksum);
  if (auto status = put.Run(); !status.ok()) return status;
  return checksum;
}

absl::Status EventRows::Delete(Sequence first, Sequence end) {
  sql_[kDelete].Bind(1, static_cast<int64_t>(first));
  sql_[kDelete].Bind(2, static_cast<int64_t>(end));
  return sql_[kDelete].Run();
}

void EventRows::Seek(Sequence from) { sql_[kRead].Bind(1, static_cast<int64_t>(from)); }

absl::StatusOr<std::shared_ptr<Event>> EventRows::Current() {
  const SqliteStatement& row = sql_[kRead];
  const std::string_view event_id = row.Bytes(4);
  const std::string_view record = row.Bytes(5);
  const std::string_view body = row.Bytes(6);
  const bool intact =
      row.Number(7) == ChecksumOf(row.Number(0), row.Number(1), row.Number(2), row.Number(3), event_id, record, body);
  auto event = std::make_shared<Event>();
  event->sequence = static_cast<Sequence>(row.Number(0));
  if (!intact || !DecodeEventRecord(record, *event)) {
    return Damaged("events", event->sequence, absl::StrFormat("event %d does not match its checksum", event->sequence));
  }
  event->publish_time = FromNanos(row.Number(1));
  event->type = static_cast<EventType>(row.Number(2));
  event->event_id = event_id;
  event->body = body;
  return event;
}

absl::StatusOr<EventPtr> EventRows::Get(Sequence sequence) {
  Seek(sequence);
  auto more = Next();
  if (!more.ok()) return more.status();
  if (!*more) return nullptr;
  absl::StatusOr<EventPtr> event = nullptr;
  if (this->sequence() == sequence) event = Current();
  End();
  return event;
}

absl::StatusOr<std::vector<Sequence>> EventRows::Children(Sequence parent, size_t most) {
  SqliteStatement& query = sql_[kChildren];
  query.Bind(1, static_cast<int64_t>(parent));
  query.Bind(2, static_cast<int64_t>(most));
  std::vector<Sequence> children;
  auto status = ForEachRow(query, [&](const SqliteStatement& row) {
    children.push_back(static_cast<Sequence>(row.Number(0)));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return children;
}

absl::StatusOr<Sequence> EventRows::LastSequence() {
  Sequence last = 0;
  auto status = ForEachRow(sql_[kLast], [&](const SqliteStatement& row) {
    last = static_cast<Sequence>(row.Number(0));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return last;
}

}  // namespace pvebus::bus
