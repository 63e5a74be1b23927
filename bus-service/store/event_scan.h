#pragma once

#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "bus-service/core/lost_ranges.h"
#include "bus-service/store/journal_tables.h"

namespace pvebus::bus {

// What of the journal a read may rely on.
struct ReadLimits {
  size_t max_events = 0;
  size_t max_bytes = 0;
};

// Everything read while it lives is of one moment. One thread.
class ReadTransaction {
 public:
  explicit ReadTransaction(JournalTables& tables);
  ~ReadTransaction();
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;

  // Nothing must be read when it is not OK.
  const absl::Status& status() const { return status_; }
  // What is before it was forgotten.
  Sequence first_sequence() const { return first_sequence_; }

 private:
  JournalTables& tables_;
  absl::Status status_;
  Sequence first_sequence_ = 1;
};

// Appends the events from `from`, or the oldest one, to `until` to `events`: at most so many and, after the first, so many bytes.
// Damaged when the next one is damaged or missing; those before it are there then.
absl::Status ReadEvents(JournalTables& tables, const LostRanges& lost, Sequence from, Sequence until, ReadLimits limits,
                        std::vector<EventPtr>& events);

// Visits every event in [first, last] that can be read, with its row's checksum, and tells what is wrong with each that cannot.
// What SQLite itself cannot read ends it, after a segment's length of tries.
void ScanEvents(JournalTables& tables, const LostRanges& lost, Sequence first, Sequence last,
                const std::function<void(const std::shared_ptr<Event>&, int64_t checksum)>& visit,
                const std::function<void(const absl::Status&)>& problem);

}  // namespace pvebus::bus
