#include "bus-service/store/segment_index.h"

#include <algorithm>
#include <cassert>

#include "bus-service/store/record_codec.h"

namespace pvebus::bus {

void SegmentIndex::AddSegment(const Segment& segment) {
  assert(open_.empty() && (segments_.empty() || segment.first >= segments_.back().segment.end()));
  const int64_t latest = segments_.empty() ? segment.last_time : std::max(segment.last_time, segments_.back().latest_until);
  // The clock may have been set back: then what came before knows of it.
  for (auto entry = segments_.rbegin(); entry != segments_.rend() && entry->earliest_from > segment.first_time; ++entry) {
    entry->earliest_from = segment.first_time;
  }
  segments_.push_back({segment, latest, segment.first_time});
  count_ += segment.count;
  bytes_ += segment.bytes;
}

void SegmentIndex::AddEvent(Sequence sequence, uint64_t bytes, int64_t time) {
  if (open_.empty()) open_first_ = sequence;
  assert(sequence == open_first_ + open_.size());
  open_.push_back({bytes, time});
  ++count_;
  bytes_ += bytes;
}

void SegmentIndex::Close(Sequence end) {
  if (open_.empty() || end <= open_first_) return;
  Segment segment;
  segment.first = open_first_;
  segment.count = std::min<uint64_t>(end - open_first_, open_.size());
  segment.first_time = segment.last_time = open_.front().time;
  for (uint64_t i = 0; i < segment.count; ++i) {
    segment.bytes += open_[i].bytes;
    segment.first_time = std::min(segment.first_time, open_[i].time);
    segment.last_time = std::max(segment.last_time, open_[i].time);
  }
  std::deque<OpenEvent> rest(open_.begin() + static_cast<std::ptrdiff_t>(segment.count), open_.end());
  open_.clear();
  count_ -= segment.count;
  bytes_ -= segment.bytes;
  AddSegment(segment);
  open_ = std::move(rest);
  open_first_ = segment.end();
}

std::optional<EventLog::Chunk> SegmentIndex::Oldest() const {
  if (!segments_.empty()) {
    const Segment& oldest = segments_.front().segment;
    return EventLog::Chunk{oldest.end(), oldest.count, oldest.bytes, FromNanos(oldest.last_time)};
  }
  if (open_.empty()) return std::nullopt;
  EventLog::Chunk chunk{open_first_ + open_.size(), open_.size(), 0, FromNanos(open_.front().time)};
  for (const OpenEvent& event : open_) {
    chunk.event_bytes += event.bytes;
    chunk.newest = std::max(chunk.newest, FromNanos(event.time));
  }
  return chunk;
}

Sequence SegmentIndex::DropOldest() {
  const EventLog::Chunk chunk = *Oldest();
  count_ -= chunk.event_count;
  bytes_ -= chunk.event_bytes;
  if (segments_.empty()) {
    open_.clear();
  } else {
    segments_.pop_front();
  }
  return chunk.end;
}

Sequence SegmentIndex::first_sequence() const {
  if (!segments_.empty()) return segments_.front().segment.first;
  return open_.empty() ? 0 : open_first_;
}

Sequence SegmentIndex::last_sequence() const {
  if (!open_.empty()) return open_range().last;
  return segments_.empty() ? 0 : segments_.back().segment.end() - 1;
}

Sequence SegmentIndex::FirstOfNewest(uint64_t most_events, uint64_t most_bytes) const {
  if (empty()) return 0;
  uint64_t events = open_.size();
  uint64_t bytes = 0;
  for (const OpenEvent& event : open_) bytes += event.bytes;
  Sequence first = open_.empty() ? last_sequence() + 1 : open_first_;
  for (auto entry = segments_.rbegin(); entry != segments_.rend(); ++entry) {
    events += entry->segment.count;
    bytes += entry->segment.bytes;
    if (events > most_events || bytes > most_bytes) break;
    first = entry->segment.first;
  }
  return first;
}

std::deque<SegmentIndex::Entry>::const_iterator SegmentIndex::Reaching(int64_t time) const {
  return std::lower_bound(segments_.begin(), segments_.end(), time,
                          [](const Entry& entry, int64_t wanted) { return entry.latest_until < wanted; });
}

std::optional<SegmentIndex::Range> SegmentIndex::RunFrom(int64_t time) const {
  for (auto entry = Reaching(time); entry != segments_.end(); ++entry) {
    if (entry->segment.last_time >= time) return Range{entry->segment.first, entry->segment.end() - 1};
  }
  for (const OpenEvent& event : open_) {
    if (event.time >= time) return open_range();
  }
  return std::nullopt;
}

std::vector<SegmentIndex::Range> SegmentIndex::RunsBetween(int64_t from, int64_t to) const {
  std::vector<Range> runs;
  for (auto entry = Reaching(from); entry != segments_.end() && entry->earliest_from <= to; ++entry) {
    const Segment& segment = entry->segment;
    if (segment.last_time >= from && segment.first_time <= to) runs.push_back({segment.first, segment.end() - 1});
  }
  const auto within = [from, to](const OpenEvent& event) { return event.time >= from && event.time <= to; };
  if (std::any_of(open_.begin(), open_.end(), within)) runs.push_back(open_range());
  return runs;
}

}  // namespace pvebus::bus
