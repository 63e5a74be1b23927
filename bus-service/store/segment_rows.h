#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bus-service/core/event_log.h"
#include "bus-service/store/statements.h"

namespace pvebus::bus {

// A closed run of events, which are forgotten together.
struct Segment {
  Sequence first = 0;
  uint64_t count = 0;
  uint64_t bytes = 0;           // as Event::Bytes counts them
  int64_t first_time = 0;       // the earliest publish time, ns since 1970
  int64_t last_time = 0;        // the latest
  int64_t events_checksum = 0;  // of its events' checksums

  Sequence end() const { return first + count; }
  bool operator==(const Segment&) const = default;
};
inline constexpr uint64_t kSegmentEvents = 256;
inline constexpr uint64_t kSegmentBytes = 256 * 1024;

// The hash of an id, and whose it is.
struct IdEntry {
  uint64_t hash = 0;
  Sequence sequence = 0;
  bool operator==(const IdEntry&) const = default;
};

// Adds one event's checksum to those of the events before it.
int64_t ChainChecksum(int64_t chain, int64_t checksum);

// The rows of `segments` and `segment_ids`, and of `losses`. Knows no threads and no transactions. One thread at a time.
class SegmentRows {
 public:
  explicit SegmentRows(SqliteDatabase& database) : sql_(database) {}
  absl::Status Prepare();

  absl::Status Put(const Segment& segment, const std::vector<IdEntry>& ids);
  absl::Status Drop(Sequence first);
  // The first segment at or after `from`.
  absl::StatusOr<std::optional<Segment>> Next(Sequence from);
  // Ascending; those that are damaged are told one by one, and skipped.
  absl::Status ForEach(const std::function<void(absl::StatusOr<Segment>)>& segment);

  // The ids of the segment that begins there.
  absl::StatusOr<std::vector<IdEntry>> Ids(Sequence first);
  // The beginnings of the segments whose ids are here, ascending.
  absl::StatusOr<std::vector<Sequence>> WithIds();
  // Ids of segments that begin in [first, end): they are in a block now.
  absl::Status DropIds(Sequence first, Sequence end);

 private:
  enum : size_t { kPut, kDrop, kNext, kAll, kPutIds, kIds, kWithIds, kDropIds };

  static absl::StatusOr<Segment> Current(const SqliteStatement& row);

  Statements sql_;
};

// Events, or something else, that an operator gave up as lost.
class LossRows {
 public:
  explicit LossRows(SqliteDatabase& database) : sql_(database) {}
  absl::Status Prepare();
  absl::Status Put(const Loss& loss);
  absl::StatusOr<std::vector<Loss>> Load();

 private:
  Statements sql_;
};

}  // namespace pvebus::bus
