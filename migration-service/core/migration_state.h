#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "sdk/base/clock.h"
#include "sdk/base/mutex.h"
#include "sdk/base/recent_ids.h"

namespace pvebus::migration {

// How much of the node's network API the new implementation answers.
enum class Phase { kPerlOnly, kRustReadOnly, kRustBasicWrite, kRustAdvanced, kRustSdn, kRustFull };

// "perl-only", ...
std::string_view PhaseName(Phase phase);
std::optional<Phase> PhaseOfName(std::string_view name);

// The phase in force and the network transactions that were applied, as the events tell. An event is counted once however often
// it is delivered, and a phase that comes again does not undo a later one. Owned by main. Any thread.
class MigrationState {
 public:
  // Of `remembered_events` of this process the ids are kept; who calls knows of those before (`counted_before`).
  explicit MigrationState(size_t remembered_events = 16384) : events_(remembered_events) {}

  struct PhaseChange {
    Phase before;
    Phase now;
    bool repeated = false;  // the event had been handled before; nothing changed
  };
  PhaseChange EnterPhase(Phase phase, std::string_view event_id, SystemTime time, bool counted_before);

  struct Transaction {
    uint64_t count = 0;     // transactions so far
    bool repeated = false;  // the event had been counted before
  };
  Transaction CountTransaction(std::string_view event_id, bool counted_before);

  struct Status {
    Phase phase = Phase::kPerlOnly;
    std::optional<SystemTime> phase_time;  // since when; empty before the first change
    std::string phase_event_id;
    uint64_t phase_changes = 0;  // so far: orders them
    uint64_t transaction_count = 0;
    std::string last_transaction_event_id;
  };
  Status status() const;
  // Goes on where an earlier process ended. Requires: nothing was counted yet.
  void Restore(Status status);

 private:
  mutable Mutex mu_;
  RecentIds events_ ABSL_GUARDED_BY(mu_);
  Status status_ ABSL_GUARDED_BY(mu_);
};

}  // namespace pvebus::migration
