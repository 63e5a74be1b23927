#include "bus-service/store/journal_tables.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_format.h"

namespace pvebus::bus {
namespace {

constexpr const char* kSql[] = {
    "INSERT INTO events VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)",
    "INSERT OR REPLACE INTO listeners VALUES (?1,?2,?3,?4)",
    "INSERT OR REPLACE INTO interests VALUES (?1,?2,?3,?4,?5)",
    "INSERT OR REPLACE INTO progress VALUES (?1,?2,?3,?4,?5)",
    "INSERT OR REPLACE INTO deliveries VALUES (?1,?2,?3,?4,?5,?6,?7,?8)",
    "INSERT OR REPLACE INTO counters VALUES ('last_sequence', ?1, ?2)",
    "SELECT * FROM events WHERE sequence >= ?1 ORDER BY sequence",
    "SELECT * FROM listeners ORDER BY listener_id",
    "SELECT after_sequence, event_types, filter, checksum FROM interests WHERE listener_id = ?1 ORDER BY after_sequence",
    "SELECT next_sequence, wanted_again_until, unsettled, checksum FROM progress WHERE listener_id = ?1",
    "SELECT sequence, state, attempt, reason, message, detail, checksum FROM deliveries WHERE listener_id = ?1 ORDER BY sequence",
    "SELECT name, value, checksum FROM counters",
    R"sql(SELECT listener_id FROM interests UNION SELECT listener_id FROM progress UNION SELECT listener_id FROM deliveries
          EXCEPT SELECT listener_id FROM listeners)sql",
};

constexpr std::string_view kLastSequence = "last_sequence";

absl::Status Damaged(const SqliteDatabase& database, std::string_view what) {
  return absl::DataLossError(absl::StrFormat("%s is damaged: %s", database.path(), what));
}

// Runs a query and calls `row` for each of its rows; ends it in any case.
template <typename Row>
absl::Status ForEach(SqliteStatement& query, Row row) {
  for (;;) {
    auto more = query.Step();
    if (!more.ok()) return more.status();
    if (!*more) return absl::OkStatus();
    if (absl::Status status = row(); !status.ok()) {
      query.Reset();
      return status;
    }
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<JournalTables>> JournalTables::Open(SqliteDatabase& database) {
  static_assert(std::size(kSql) == kSqlCount);
  std::unique_ptr<JournalTables> tables(new JournalTables(database));
  for (const char* sql : kSql) {
    auto statement = SqliteStatement::Prepare(database, sql);
    if (!statement.ok()) return statement.status();
    tables->statements_.push_back(*std::move(statement));
  }
  return tables;
}

int64_t JournalTables::ChecksumOf(const Event& event, const std::string& attributes) {
  checksum_.Add(static_cast<int64_t>(event.sequence)).Add(ToNanos(event.publish_time)).Add(static_cast<int64_t>(event.type));
  for (const std::string* text : {&event.event_id, &event.request_id, &event.source, &event.subject, &event.ordering_key,
                                  &attributes, &event.parent_event_id, &event.body}) {
    checksum_.Add(*text);
  }
  return checksum_.Add(event.hop_count)
      .Add(event.expire_time.has_value())
      .Add(event.expire_time ? ToNanos(*event.expire_time) : 0)
      .Take();
}

absl::Status JournalTables::PutEvent(const Event& event) {
  RecordWriter attributes;
  if (!event.attributes.empty()) attributes.Map(event.attributes);
  const std::string attribute_bytes = attributes.Take();
  SqliteStatement& put = (*this)[kPutEvent];
  put.Bind(1, static_cast<int64_t>(event.sequence));
  put.Bind(2, ToNanos(event.publish_time));
  put.Bind(3, static_cast<int64_t>(event.type));
  put.BindText(4, event.event_id);
  put.BindText(5, event.request_id);
  put.BindText(6, event.source);
  put.BindText(7, event.subject);
  put.BindText(8, event.ordering_key);
  put.BindBlob(9, attribute_bytes);
  put.BindText(10, event.parent_event_id);
  put.Bind(11, event.hop_count);
  if (event.expire_time) {
    put.Bind(12, ToNanos(*event.expire_time));
  } else {
    put.BindNull(12);
  }
  put.BindBlob(13, event.body);
  put.Bind(14, ChecksumOf(event, attribute_bytes));
  return put.Run();
}

absl::Status JournalTables::PutListener(ListenerId listener, const ListenerSnapshot& snapshot) {
  const std::string state = EncodeSnapshot(snapshot);
  SqliteStatement& put = (*this)[kPutListener];
  put.Bind(1, static_cast<int64_t>(listener));
  put.BindText(2, snapshot.name);
  put.BindBlob(3, state);
  put.Bind(4, checksum_.Add(static_cast<int64_t>(listener)).Add(snapshot.name).Add(state).Take());
  return put.Run();
}

absl::Status JournalTables::PutInterest(ListenerId listener, const Interest& interest) {
  SqliteStatement& put = (*this)[kPutInterest];
  put.Bind(1, static_cast<int64_t>(listener));
  put.Bind(2, static_cast<int64_t>(interest.after));
  put.Bind(3, interest.event_types);
  put.BindText(4, interest.filter);
  put.Bind(5, checksum_.Add(static_cast<int64_t>(listener))
                  .Add(static_cast<int64_t>(interest.after))
                  .Add(interest.event_types)
                  .Add(interest.filter)
                  .Take());
  return put.Run();
}

absl::Status JournalTables::PutProgress(ListenerId listener, const Progress& progress) {
  const std::string unsettled = EncodeSequences(progress.unsettled);
  SqliteStatement& put = (*this)[kPutProgress];
  put.Bind(1, static_cast<int64_t>(listener));
  put.Bind(2, static_cast<int64_t>(progress.next_sequence));
  put.Bind(3, static_cast<int64_t>(progress.wanted_again_until));
  put.BindBlob(4, unsettled);
  put.Bind(5, checksum_.Add(static_cast<int64_t>(listener))
                  .Add(static_cast<int64_t>(progress.next_sequence))
                  .Add(static_cast<int64_t>(progress.wanted_again_until))
                  .Add(unsettled)
                  .Take());
  return put.Run();
}

absl::Status JournalTables::PutDelivery(ListenerId listener, const DeliveryRecord& delivery) {
  static const std::string kNothing;
  const std::string& reason = delivery.error ? delivery.error->reason : kNothing;
  const std::string& message = delivery.error ? delivery.error->message : kNothing;
  const std::string detail = EncodeDetail(delivery);
  SqliteStatement& put = (*this)[kPutDelivery];
  put.Bind(1, static_cast<int64_t>(listener));
  put.Bind(2, static_cast<int64_t>(delivery.sequence));
  put.Bind(3, static_cast<int64_t>(delivery.state));
  put.Bind(4, delivery.attempt);
  put.BindText(5, reason);
  put.BindText(6, message);
  put.BindBlob(7, detail);
  put.Bind(8, checksum_.Add(static_cast<int64_t>(listener))
                  .Add(static_cast<int64_t>(delivery.sequence))
                  .Add(static_cast<int64_t>(delivery.state))
                  .Add(delivery.attempt)
                  .Add(reason)
                  .Add(message)
                  .Add(detail)
                  .Take());
  return put.Run();
}

absl::Status JournalTables::DropListener(ListenerId listener) {
  const std::string sql = absl::StrFormat(
      "DELETE FROM listeners WHERE listener_id=%1$d; DELETE FROM interests WHERE listener_id=%1$d;"
      "DELETE FROM progress WHERE listener_id=%1$d; DELETE FROM deliveries WHERE listener_id=%1$d",
      listener);
  return database_.Execute(sql.c_str());
}

absl::Status JournalTables::DropEventsBefore(Sequence sequence) {
  const std::string sql =
      absl::StrFormat("DELETE FROM events WHERE sequence < %1$d; DELETE FROM deliveries WHERE sequence < %1$d", sequence);
  return database_.Execute(sql.c_str());
}

absl::Status JournalTables::PutLastSequence(Sequence sequence) {
  SqliteStatement& put = (*this)[kPutLastSequence];
  put.Bind(1, static_cast<int64_t>(sequence));
  put.Bind(2, checksum_.Add(kLastSequence).Add(static_cast<int64_t>(sequence)).Take());
  return put.Run();
}

absl::StatusOr<std::shared_ptr<Event>> JournalTables::CurrentEvent() {
  SqliteStatement& row = (*this)[kReadEvents];
  auto event = std::make_shared<Event>();
  event->sequence = static_cast<Sequence>(row.Number(0));
  event->publish_time = FromNanos(row.Number(1));
  event->type = static_cast<EventType>(row.Number(2));
  event->event_id = row.Bytes(3);
  event->request_id = row.Bytes(4);
  event->source = row.Bytes(5);
  event->subject = row.Bytes(6);
  event->ordering_key = row.Bytes(7);
  const std::string attributes(row.Bytes(8));
  event->parent_event_id = row.Bytes(9);
  event->hop_count = static_cast<uint32_t>(row.Number(10));
  if (!row.IsNull(11)) event->expire_time = FromNanos(row.Number(11));
  event->body = row.Bytes(12);
  if (row.Number(13) != ChecksumOf(*event, attributes)) {
    return Damaged(database_, absl::StrFormat("event %d does not match its checksum", event->sequence));
  }
  RecordReader reader(attributes);
  if (!attributes.empty()) event->attributes = reader.Map();
  return event;
}

absl::StatusOr<std::vector<EventPtr>> JournalTables::ReadEvents(Sequence from, size_t max_events, size_t max_bytes) {
  SqliteStatement& query = (*this)[kReadEvents];
  query.Bind(1, static_cast<int64_t>(from));
  std::vector<EventPtr> events;
  size_t bytes = 0;
  while (events.size() < max_events) {
    auto more = query.Step();
    if (!more.ok()) return more.status();
    if (!*more) return events;
    auto event = CurrentEvent();
    if (!event.ok()) {
      query.Reset();
      return event.status();
    }
    bytes += (*event)->Bytes();
    if (!events.empty() && bytes > max_bytes) break;
    events.push_back(*std::move(event));
  }
  query.Reset();
  return events;
}

absl::Status JournalTables::LoadEvents(Recovery& recovery) {
  (*this)[kReadEvents].Bind(1, 0);
  return ForEach((*this)[kReadEvents], [&]() -> absl::Status {
    auto event = CurrentEvent();
    if (!event.ok()) return event.status();
    if (!recovery.events.empty() && (*event)->sequence != recovery.events.back()->sequence + 1) {
      return Damaged(database_, absl::StrFormat("event %d is missing", recovery.events.back()->sequence + 1));
    }
    recovery.events.push_back(*std::move(event));
    return absl::OkStatus();
  });
}

absl::Status JournalTables::LoadListener(Recovery::Listener& listener, bool& found_progress) {
  const auto id = static_cast<int64_t>(listener.id);
  (*this)[kReadInterests].Bind(1, id);
  auto status = ForEach((*this)[kReadInterests], [&]() -> absl::Status {
    SqliteStatement& row = (*this)[kReadInterests];
    checksum_.Add(id).Add(row.Number(0)).Add(row.Number(1)).Add(row.Bytes(2));
    if (row.Number(3) != checksum_.Take()) {
      return Damaged(database_, absl::StrFormat("an interest of listener %d does not match its checksum", id));
    }
    listener.interests.push_back(
        {static_cast<Sequence>(row.Number(0)), static_cast<uint32_t>(row.Number(1)), std::string(row.Bytes(2))});
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  (*this)[kReadProgress].Bind(1, id);
  status = ForEach((*this)[kReadProgress], [&]() -> absl::Status {
    SqliteStatement& row = (*this)[kReadProgress];
    found_progress = true;
    checksum_.Add(id).Add(row.Number(0)).Add(row.Number(1)).Add(row.Bytes(2));
    listener.progress.next_sequence = static_cast<Sequence>(row.Number(0));
    listener.progress.wanted_again_until = static_cast<Sequence>(row.Number(1));
    if (row.Number(3) != checksum_.Take() || !DecodeSequences(row.Bytes(2), listener.progress.unsettled)) {
      return Damaged(database_, absl::StrFormat("the progress of listener %d does not match its checksum", id));
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return LoadDeliveries(listener);
}

absl::Status JournalTables::LoadDeliveries(Recovery::Listener& listener) {
  (*this)[kReadDeliveries].Bind(1, static_cast<int64_t>(listener.id));
  return ForEach((*this)[kReadDeliveries], [&]() -> absl::Status {
    SqliteStatement& row = (*this)[kReadDeliveries];
    DeliveryRecord& delivery = listener.deliveries.emplace_back();
    delivery.sequence = static_cast<Sequence>(row.Number(0));
    delivery.state = static_cast<DeliveryState>(row.Number(1));
    delivery.attempt = static_cast<uint32_t>(row.Number(2));
    checksum_.Add(static_cast<int64_t>(listener.id))
        .Add(row.Number(0))
        .Add(row.Number(1))
        .Add(row.Number(2))
        .Add(row.Bytes(3))
        .Add(row.Bytes(4))
        .Add(row.Bytes(5));
    if (row.Number(6) != checksum_.Take() || !DecodeDetail(row.Bytes(5), delivery)) {
      return Damaged(database_, absl::StrFormat("the delivery of event %d to listener %d does not match its checksum",
                                                delivery.sequence, listener.id));
    }
    if (delivery.error) {
      delivery.error->reason = row.Bytes(3);
      delivery.error->message = row.Bytes(4);
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<Recovery> JournalTables::Load() {
  Recovery recovery;
  if (auto status = LoadEvents(recovery); !status.ok()) return status;
  auto last = ForEach((*this)[kReadLastSequence], [&]() -> absl::Status {
    SqliteStatement& row = (*this)[kReadLastSequence];
    if (row.Bytes(0) != kLastSequence || row.Number(2) != checksum_.Add(row.Bytes(0)).Add(row.Number(1)).Take()) {
      return Damaged(database_, "counter last_sequence does not match its checksum");
    }
    recovery.last_sequence = static_cast<Sequence>(row.Number(1));
    return absl::OkStatus();
  });
  if (!last.ok()) return last;
  if (!recovery.events.empty()) recovery.last_sequence = std::max(recovery.last_sequence, recovery.events.back()->sequence);
  auto status = ForEach((*this)[kReadListeners], [&]() -> absl::Status {
    SqliteStatement& row = (*this)[kReadListeners];
    Recovery::Listener& listener = recovery.listeners.emplace_back();
    listener.id = static_cast<ListenerId>(row.Number(0));
    checksum_.Add(row.Number(0)).Add(row.Bytes(1)).Add(row.Bytes(2));
    if (row.Number(3) != checksum_.Take() || !DecodeSnapshot(row.Bytes(2), listener.snapshot)) {
      return Damaged(database_, absl::StrFormat("listener %d does not match its checksum", listener.id));
    }
    bool found_progress = false;
    if (auto loaded = LoadListener(listener, found_progress); !loaded.ok()) return loaded;
    if (!found_progress)
      return Damaged(database_, absl::StrFormat("the progress of listener \"%s\" is missing", listener.snapshot.name));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  if (status = CheckOrphans(); !status.ok()) return status;
  return recovery;
}

absl::Status JournalTables::CheckOrphans() {
  return ForEach((*this)[kReadOrphans], [&] {
    Recovery::Listener nobody;
    nobody.id = static_cast<ListenerId>((*this)[kReadOrphans].Number(0));
    bool found_progress = false;
    return LoadListener(nobody, found_progress);
  });
}

}  // namespace pvebus::bus
