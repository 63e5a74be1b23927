#include "bus-service/store/segment_writer.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "bus-service/store/damage.h"
#include "bus-service/store/record_codec.h"

namespace pvebus::bus {
namespace {

void Extend(Segment& segment, uint64_t bytes, int64_t time, int64_t checksum) {
  segment.first_time = segment.count == 0 ? time : std::min(segment.first_time, time);
  segment.last_time = segment.count == 0 ? time : std::max(segment.last_time, time);
  segment.events_checksum = ChainChecksum(segment.events_checksum, checksum);
  segment.bytes += bytes;
  ++segment.count;
}

}  // namespace

void SegmentWriter::Take(const Event& event, int64_t checksum) {
  if (open_.empty()) open_first_ = event.sequence;
  open_.push_back({event.Bytes(), ToNanos(event.publish_time), checksum});
  open_bytes_ += open_.back().bytes;
  const size_t before = open_ids_.size();
  hash_.AddEntries(event, open_ids_);
  new_ids_.insert(new_ids_.end(), open_ids_.begin() + static_cast<std::ptrdiff_t>(before), open_ids_.end());
}

Segment SegmentWriter::OpenSegment() const {
  Segment segment;
  segment.first = open_first_;
  for (const OpenEvent& event : open_) Extend(segment, event.bytes, event.time, event.checksum);
  return segment;
}

absl::Status SegmentWriter::Put(JournalTables& tables, const Event& event) {
  auto checksum = tables.events.Put(event);
  if (!checksum.ok()) return checksum.status();
  Take(event, *checksum);
  return open_.size() < kSegmentEvents && open_bytes_ < kSegmentBytes ? absl::OkStatus() : Close(tables);
}

absl::Status SegmentWriter::Close(JournalTables& tables) {
  if (open_.empty()) return absl::OkStatus();
  const Segment segment = OpenSegment();
  if (auto status = tables.segments.Put(segment, open_ids_); !status.ok()) return status;
  ends_.push_back(segment.end());
  open_.clear();
  open_ids_.clear();
  open_bytes_ = 0;
  return absl::OkStatus();
}

void SegmentWriter::CutOpen(Sequence first) {
  if (open_.empty() || first <= open_first_) return;
  const auto gone = static_cast<std::ptrdiff_t>(std::min<uint64_t>(first - open_first_, open_.size()));
  open_.erase(open_.begin(), open_.begin() + gone);
  std::erase_if(open_ids_, [first](const IdEntry& id) { return id.sequence < first; });
  open_first_ = first;
  open_bytes_ = 0;
  for (const OpenEvent& event : open_) open_bytes_ += event.bytes;
}

absl::Status SegmentWriter::Cut(JournalTables& tables, const Segment& segment, Sequence first) {
  Segment rest;
  rest.first = first;
  std::vector<IdEntry> ids;
  tables.events.Seek(first);
  for (Sequence next = first; next < segment.end(); ++next) {
    auto more = tables.events.Next();
    if (!more.ok()) return more.status();
    if (!*more) return Damaged("events", next, absl::StrFormat("event %d is missing", next));
    auto event = tables.events.Current();
    if (event.ok() && (*event)->sequence != next) event = Damaged("events", next, absl::StrFormat("event %d is missing", next));
    if (!event.ok()) {
      tables.events.End();
      return event.status();
    }
    Extend(rest, (*event)->Bytes(), ToNanos((*event)->publish_time), tables.events.checksum());
    hash_.AddEntries(**event, ids);
  }
  tables.events.End();
  return tables.segments.Put(rest, ids);
}

absl::StatusOr<Sequence> SegmentWriter::Drop(JournalTables& tables, Sequence first, Sequence end, uint64_t most_events) {
  Sequence until = first;
  while (until < end && until - first < most_events) {
    auto segment = tables.segments.Next(until);
    if (!segment.ok()) return segment.status();
    if (!*segment || (*segment)->first >= end) {
      until = end;  // only the open segment, or nothing, is left of it
      break;
    }
    if (auto status = tables.segments.Drop((*segment)->first); !status.ok()) return status;
    until = std::min((*segment)->end(), end);
    // It was closed while the bus, to whom it was still open, had it dropped.
    if (until < (*segment)->end()) {
      if (auto status = Cut(tables, **segment, until); !status.ok()) return status;
    }
  }
  CutOpen(until);
  if (auto status = tables.events.Delete(first, until); !status.ok()) return status;
  if (auto status = tables.deliveries.DropBefore(until); !status.ok()) return status;
  return until;
}

}  // namespace pvebus::bus
