#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "migration-service/core/phase_change.h"

namespace pvebus::migration {

// Calls that were reported in the phase in force.
struct ReportCounts {
  uint64_t reports = 0;  // of the new implementation
  uint64_t failures = 0;

  bool operator==(const ReportCounts&) const = default;
};

// All that is kept but the history.
struct MigrationRecord {
  std::optional<PhaseChange> last_change;  // none: the phase is perl-only, and has always been
  uint64_t transactions = 0;               // network transactions that were applied, each event once
  uint64_t phase_transactions = 0;         // of them those in the phase in force
  std::string last_transaction_event_id;
  ReportCounts reports;

  bool operator==(const MigrationRecord&) const = default;
};

// Of the transactions that were counted the ids of so many, the last ones, are known, so as not to count one again.
inline constexpr size_t kRememberedTransactions = 100'000;

// Where the phase is kept. Each call is one commit: when it returns OK, all of it is on the disk, else nothing of it. An error
// names the file and says what to do. Any thread.
class MigrationStore {
 public:
  virtual ~MigrationStore() = default;

  virtual absl::StatusOr<MigrationRecord> Load() = 0;
  // Begins with what an older form of the state had; its last transaction is not counted again. FAILED_PRECONDITION
  // STATE_NOT_NEW when something was put before.
  virtual absl::Status TakeOver(const MigrationRecord& record) = 0;

  // The phase is another one: counts of the phase and its reports begin at 0, and an order to step back is over. INTERNAL when
  // its number or its event has one already.
  virtual absl::Status PutChange(const PhaseChange& change) = 0;
  // Newest first, only with a number below `before` (0: all), at most `limit`.
  virtual absl::StatusOr<std::vector<PhaseChange>> Changes(uint64_t before, size_t limit) = 0;
  // Nothing: no change came of it. No event ("") has none.
  virtual absl::StatusOr<std::optional<PhaseChange>> ChangeOf(const std::string& event_id) = 0;

  // Counts it unless it has been counted, as far as the last kRememberedTransactions that were. True: now it was.
  virtual absl::StatusOr<bool> CountTransaction(const std::string& event_id) = 0;
  virtual absl::Status PutReports(const ReportCounts& reports) = 0;

  // A step back that the bus must hear of, until the phase changes. At most one.
  virtual absl::Status PutStepBack(const PhaseOrder& order) = 0;
  virtual absl::StatusOr<std::optional<PhaseOrder>> StepBack() = 0;
  // When it returns OK, the order of this event is gone; one that another event is to tell stays.
  virtual absl::Status RemoveStepBack(const std::string& event_id) = 0;
};

}  // namespace pvebus::migration
