#include "bus-service/store/segment_rows.h"

#include <cstring>

#include "absl/strings/str_format.h"
#include "bus-service/store/damage.h"
#include "bus-service/store/record_codec.h"

namespace pvebus::bus {
namespace {

int64_t Signed(uint64_t value) { return static_cast<int64_t>(value); }

int64_t SegmentChecksum(const Segment& segment) {
  return RowChecksum()
      .Add(segment.first)
      .Add(segment.count)
      .Add(segment.bytes)
      .Add(segment.first_time)
      .Add(segment.last_time)
      .Add(segment.events_checksum)
      .value();
}

// Ten bytes each: the hash, and how far the event is from the segment's first.
constexpr size_t kEntryBytes = 10;

std::string EncodeIds(Sequence first, const std::vector<IdEntry>& ids) {
  std::string bytes(ids.size() * kEntryBytes, '\0');
  char* out = bytes.data();
  for (const IdEntry& id : ids) {
    const auto offset = static_cast<uint16_t>(id.sequence - first);
    std::memcpy(out, &id.hash, 8);
    std::memcpy(out + 8, &offset, 2);
    out += kEntryBytes;
  }
  return bytes;
}

int64_t IdsChecksum(Sequence first, std::string_view entries) { return RowChecksum().Add(first).Add(entries).value(); }

}  // namespace

int64_t ChainChecksum(int64_t chain, int64_t checksum) { return RowChecksum().Add(chain).Add(checksum).value(); }

absl::Status SegmentRows::Prepare() {
  return sql_.Prepare({
      "INSERT OR REPLACE INTO segments VALUES (?1,?2,?3,?4,?5,?6,?7)",
      "DELETE FROM segments WHERE first_sequence = ?1",
      "SELECT * FROM segments WHERE first_sequence >= ?1 ORDER BY first_sequence LIMIT 1",
      "SELECT * FROM segments ORDER BY first_sequence",
      "INSERT OR REPLACE INTO segment_ids VALUES (?1,?2,?3)",
      "SELECT entries, checksum FROM segment_ids WHERE first_sequence = ?1",
      "SELECT first_sequence FROM segment_ids ORDER BY first_sequence",
      "DELETE FROM segment_ids WHERE first_sequence >= ?1 AND first_sequence < ?2",
  });
}

absl::Status SegmentRows::Put(const Segment& segment, const std::vector<IdEntry>& ids) {
  SqliteStatement& put = sql_[kPut];
  put.Bind(1, Signed(segment.first));
  put.Bind(2, Signed(segment.count));
  put.Bind(3, Signed(segment.bytes));
  put.Bind(4, segment.first_time);
  put.Bind(5, segment.last_time);
  put.Bind(6, segment.events_checksum);
  put.Bind(7, SegmentChecksum(segment));
  if (auto status = put.Run(); !status.ok() || ids.empty()) return status;
  const std::string entries = EncodeIds(segment.first, ids);
  SqliteStatement& put_ids = sql_[kPutIds];
  put_ids.Bind(1, Signed(segment.first));
  put_ids.BindBlob(2, entries);
  put_ids.Bind(3, IdsChecksum(segment.first, entries));
  return put_ids.Run();
}

absl::Status SegmentRows::Drop(Sequence first) {
  sql_[kDrop].Bind(1, Signed(first));
  if (auto status = sql_[kDrop].Run(); !status.ok()) return status;
  return DropIds(first, first + 1);
}

absl::StatusOr<Segment> SegmentRows::Current(const SqliteStatement& row) {
  Segment segment;
  segment.first = static_cast<Sequence>(row.Number(0));
  segment.count = static_cast<uint64_t>(row.Number(1));
  segment.bytes = static_cast<uint64_t>(row.Number(2));
  segment.first_time = row.Number(3);
  segment.last_time = row.Number(4);
  segment.events_checksum = row.Number(5);
  if (row.Number(6) != SegmentChecksum(segment) || segment.count == 0) {
    return Damaged("segments", segment.first,
                   absl::StrFormat("the segment of events from %d does not match its checksum", segment.first));
  }
  return segment;
}

absl::StatusOr<std::optional<Segment>> SegmentRows::Next(Sequence from) {
  sql_[kNext].Bind(1, Signed(from));
  std::optional<Segment> found;
  auto status = ForEachRow(sql_[kNext], [&](const SqliteStatement& row) {
    auto segment = Current(row);
    if (segment.ok()) found = *segment;
    return segment.status();
  });
  if (!status.ok()) return status;
  return found;
}

absl::Status SegmentRows::ForEach(const std::function<void(absl::StatusOr<Segment>)>& segment) {
  return ForEachRow(sql_[kAll], [&](const SqliteStatement& row) {
    segment(Current(row));
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<IdEntry>> SegmentRows::Ids(Sequence first) {
  sql_[kIds].Bind(1, Signed(first));
  std::vector<IdEntry> ids;
  auto status = ForEachRow(sql_[kIds], [&](const SqliteStatement& row) {
    const std::string_view entries = row.Bytes(0);
    if (row.Number(1) != IdsChecksum(first, entries) || entries.size() % kEntryBytes != 0) {
      return Damaged("segment_ids", first, absl::StrFormat("the ids of the events from %d do not match their checksum", first));
    }
    for (const char* in = entries.data(); in != entries.data() + entries.size(); in += kEntryBytes) {
      IdEntry& id = ids.emplace_back();
      uint16_t offset = 0;
      std::memcpy(&id.hash, in, 8);
      std::memcpy(&offset, in + 8, 2);
      id.sequence = first + offset;
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return ids;
}

absl::StatusOr<std::vector<Sequence>> SegmentRows::WithIds() {
  std::vector<Sequence> firsts;
  auto status = ForEachRow(sql_[kWithIds], [&](const SqliteStatement& row) {
    firsts.push_back(static_cast<Sequence>(row.Number(0)));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return firsts;
}

absl::Status SegmentRows::DropIds(Sequence first, Sequence end) {
  sql_[kDropIds].Bind(1, Signed(first));
  sql_[kDropIds].Bind(2, Signed(end));
  return sql_[kDropIds].Run();
}

absl::Status LossRows::Prepare() {
  return sql_.Prepare({"INSERT INTO losses VALUES (?1,?2,?3,?4,?5,?6)", "SELECT * FROM losses ORDER BY rowid"});
}

absl::Status LossRows::Put(const Loss& loss) {
  SqliteStatement& put = sql_[0];
  put.BindText(1, loss.part);
  put.Bind(2, Signed(loss.first));
  put.Bind(3, Signed(loss.last));
  put.BindText(4, loss.message);
  put.Bind(5, ToNanos(loss.time));
  put.Bind(6, RowChecksum().Add(loss.part).Add(loss.first).Add(loss.last).Add(loss.message).Add(ToNanos(loss.time)).value());
  return put.Run();
}

absl::StatusOr<std::vector<Loss>> LossRows::Load() {
  std::vector<Loss> losses;
  auto status = ForEachRow(sql_[1], [&](const SqliteStatement& row) {
    const int64_t checksum =
        RowChecksum().Add(row.Bytes(0)).Add(row.Number(1)).Add(row.Number(2)).Add(row.Bytes(3)).Add(row.Number(4)).value();
    if (row.Number(5) != checksum) return Damaged("losses", 0, "a row of losses does not match its checksum");
    losses.push_back({std::string(row.Bytes(0)), static_cast<Sequence>(row.Number(1)), static_cast<Sequence>(row.Number(2)),
                      std::string(row.Bytes(3)), FromNanos(row.Number(4))});
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return losses;
}

}  // namespace pvebus::bus
