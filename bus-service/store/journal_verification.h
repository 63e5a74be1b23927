#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bus-service/core/event_log.h"
#include "bus-service/store/event_scan.h"
#include "bus-service/store/journal_tables.h"

namespace pvebus::bus {

// Compares everything in a journal with its checksums, a step at a time: events with their segments, listeners, deliveries, dead
// letters, ids, and at last the pages with each other. What changes meanwhile is no problem. One thread.
class JournalVerification {
 public:
  // Of events up to `last`, with those in `lost` away.
  JournalVerification(Sequence last, const LostRanges& lost) : last_(last), lost_(lost) {}

  // Some of the work, some milliseconds; true when all is done.
  bool Step(JournalTables& tables);
  uint64_t checked_events() const { return checked_events_; }
  // Found since the last call.
  std::vector<JournalProblem> TakeProblems() { return std::exchange(problems_, {}); }

 private:
  bool CheckEvents(JournalTables& tables);
  bool CheckState(JournalTables& tables);
  bool CheckDeliveries(JournalTables& tables);
  bool CheckDeadLetters(JournalTables& tables);
  bool CheckSegmentIds(JournalTables& tables);
  bool CheckBlocks(JournalTables& tables);
  bool CheckPages(JournalTables& tables);

  void CheckSegment(JournalTables& tables, const std::optional<Segment>& segment, Sequence first, Sequence last);
  void Found(const absl::Status& status);

  const Sequence last_;
  const LostRanges lost_;
  int phase_ = 0;
  uint64_t checked_events_ = 0;
  std::vector<JournalProblem> problems_;

  bool begun_ = false;  // the phase has its list
  Sequence next_ = 1;
  DeliveryRows::Place place_;
  std::vector<uint64_t> keys_;
  size_t next_key_ = 0;
  std::vector<uint64_t> blocks_;
  size_t bucket_ = 0;
};

// DATA_LOSS when SQLite finds the pages of a table damaged; an empty name: of the whole file.
absl::Status CheckPagesOf(JournalTables& tables, const std::string& table);

}  // namespace pvebus::bus
