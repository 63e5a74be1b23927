#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "network-service/core/apply.h"
#include "network-service/core/apply_plan.h"
#include "network-service/core/apply_progress.h"
#include "network-service/core/apply_store.h"
#include "network-service/core/network_node.h"
#include "sdk/base/clock.h"

namespace pvebus::network {

// Takes the node from one configuration to another, or back. Whatever it is killed at, the record says what is left to be done.
// Owned by NetworkApplier. One thread at a time.
class ApplyTransaction {
 public:
  // Requires: all of them outlive it. `on_step` is told what it is about to do.
  ApplyTransaction(NetworkNode& node, ApplyStore& store, const Clock& clock, std::string boot_id,
                   std::function<void(ApplyStep)> on_step);

  // Puts the candidate in force. The record that comes of it: kCommitted, kAwaitingConfirmation, kFailed, kUndoFailed. An error
  // when nothing was touched, or as Undo. Requires: the plan is accepted, and the node is locked.
  absl::StatusOr<ApplyRecord> Run(ApplyRecord record, const ApplyPlan& plan, Candidate candidate);

  // Brings the old configuration back, also after a crash at any point of Run or Undo: kFailed, or of one that had been in force
  // kReverted; kUndoFailed. An error (INTERNAL UNDO_FAILED) when the files could not be brought back or the end not be recorded:
  // the record is under way, and it has to be called again.
  // Then it goes on where it had come to.
  absl::StatusOr<ApplyRecord> Undo(ApplyRecord record, const ApplyFailure& failure);
  // What Undo could not do or record yet, whatever the store says of it.
  const std::optional<ApplyRecord>& unfinished() const { return unfinished_; }

 private:
  // An apply that is undone, and what is to be recorded of it.
  struct Undone {
    ApplyRecord record;
    std::vector<NoticeKind> notices;
    KnownConfiguration known;
  };

  absl::StatusOr<ApplyRecord> RecordUndone();
  std::optional<ApplyFailure> PutInForce(ApplyRecord& record, const ApplyPlan& plan, Candidate candidate,
                                         const NetworkSnapshot& kernel_before);
  std::optional<ApplyFailure> Commit(ApplyRecord& record, const NetworkDiff& diff);
  // What went wrong with it; empty: nothing.
  std::string ReloadOld(ApplyRecord& record);

  NetworkNode& node_;
  ApplyStore& store_;
  const Clock& clock_;
  const std::string boot_id_;
  const std::function<void(ApplyStep)> on_step_;
  std::optional<ApplyRecord> unfinished_;
  std::optional<Undone> undone_;  // not recorded yet
};

}  // namespace pvebus::network
