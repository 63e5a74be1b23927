#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "migration-service/core/gates.h"
#include "migration-service/core/migration_store.h"
#include "migration-service/core/phase_change.h"
#include "sdk/base/clock.h"
#include "sdk/base/mutex.h"

namespace pvebus::migration {

// The phase in force, and what was counted. What it says is on the disk. Owned by main. Any thread; calls that change something
// wait for the disk, one after the other.
class MigrationState {
 public:
  struct Status {
    Phase phase = Phase::kPerlOnly;
    std::optional<PhaseChange> last_change;  // none before the first
    uint64_t transactions = 0;
    uint64_t phase_transactions = 0;
    std::string last_transaction_event_id;
    ReportCounts reports;

    // Of the phase: another one after every change.
    std::string etag() const;
  };

  // Goes on where an earlier process ended. Requires: `store` outlives it.
  static absl::StatusOr<std::unique_ptr<MigrationState>> Load(MigrationStore& store);

  Status status() const ABSL_LOCKS_EXCLUDED(mu_);

  // Whether the phase may become this one now. Backward always; forward one step when all gates are open; further, or through
  // closed gates, with `force` and a reason. The phase in force is OK, too, and no change, whatever `from` is. ABORTED
  // PHASE_CHANGED, FAILED_PRECONDITION PHASE_JUMP, GATES_CLOSED, INVALID_ARGUMENT REASON_MISSING.
  absl::Status Check(const PhaseOrder& order, const std::vector<GateVerdict>& gates) const ABSL_LOCKS_EXCLUDED(mu_);

  enum class Entered {
    kChanged,
    kUnchanged,  // it was in force already: nothing is recorded
    kRepeated,   // the event has been handled before; a later change stays
  };
  // Checks, and makes it the phase; the change is `forced` only when it needed to be. Errors as Check, and those of the store;
  // then nothing has changed. Events without `from` are to come in their order, as the bus delivers those of one key.
  absl::StatusOr<Entered> Enter(const PhaseOrder& order, const std::vector<GateVerdict>& gates) ABSL_LOCKS_EXCLUDED(mu_);

  // False: the event was counted before.
  absl::StatusOr<bool> CountTransaction(const std::string& event_id) ABSL_LOCKS_EXCLUDED(mu_);

  // Counts a call of the new implementation that was reported. In memory, until KeepReports.
  void Report(bool failed) ABSL_LOCKS_EXCLUDED(mu_);
  // Writes down what was reported since the last time; nothing when nothing was.
  absl::Status KeepReports() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  MigrationState(MigrationStore& store, MigrationRecord record);

  // What the store has, after a call of it that failed: whether that was kept is not known.
  absl::Status CatchUp() ABSL_EXCLUSIVE_LOCKS_REQUIRED(changing_) ABSL_LOCKS_EXCLUDED(mu_);
  MigrationRecord record() const ABSL_LOCKS_EXCLUDED(mu_);

  MigrationStore& store_;
  // Held for a whole change, with the disk; never together with a call of others.
  Mutex changing_ ABSL_ACQUIRED_BEFORE(mu_);
  bool unsure_ ABSL_GUARDED_BY(changing_) = false;  // a call of the store failed
  mutable Mutex mu_;
  MigrationRecord record_ ABSL_GUARDED_BY(mu_);
  bool reports_changed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace pvebus::migration
