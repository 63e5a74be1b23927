#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bus-service/store/journal_tables.h"
#include "bus-service/store/segment_writer.h"

namespace pvebus::bus {

// Fills a new journal.db fast: large transactions, synced once at the end. One thread.
class JournalBuilder {
 public:
  // Requires: there is no such file.
  static absl::StatusOr<std::unique_ptr<JournalBuilder>> Create(const std::string& path, const std::string& vfs = {});

  // Sequences ascend; some may be missing.
  absl::Status Add(const Event& event);
  // Other rows are put here, with Breathe now and then.
  JournalTables& tables() { return *tables_; }
  absl::Status Breathe();
  // Everything is on the disk then. The seed is the builder's.
  absl::Status Finish(JournalState state);

 private:
  JournalBuilder(std::unique_ptr<JournalTables> tables, uint64_t seed);
  absl::Status SealIds();

  const std::unique_ptr<JournalTables> tables_;
  const uint64_t seed_;
  SegmentWriter segments_;
  Sequence last_ = 0;
  uint64_t rows_ = 0;  // of this transaction
  std::vector<IdEntry> ids_;
  uint64_t next_block_ = 0;
};

}  // namespace pvebus::bus
