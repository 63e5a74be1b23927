#pragma once

#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "network-service/core/apply.h"
#include "network-service/core/apply_plan.h"
#include "network-service/core/apply_progress.h"
#include "network-service/core/apply_store.h"
#include "network-service/core/apply_transaction.h"
#include "network-service/core/network_node.h"
#include "sdk/base/clock.h"
#include "sdk/base/log.h"
#include "sdk/base/mutex.h"

namespace pvebus::network {

// What a caller wants in force.
struct ApplyRequest {
  std::string request_id;
  std::string reason;
  std::string requested_by;
  std::string etag;
  Duration confirm_timeout{};  // 0: none
  bool validate_only = false;
};
struct RevertRequest {
  std::string apply_id;  // empty: the last
  std::string request_id;
  std::string reason;
  std::string requested_by;
  bool validate_only = false;
};

// All that happens to the configuration of the node, one thing at a time. Records of applies that somebody asked for with
// validate_only have no apply_id and are kept nowhere. Owned by main. Any thread; calls may block for minutes.
class NetworkApplier {
 public:
  struct Options {
    std::string boot_id;                        // of this boot of the node
    std::string staged_path;                    // for messages
    std::function<std::string()> new_id;        // 32 hexadecimal digits
    std::function<void()> on_deadline = [] {};  // NextDeadline may be sooner than it was
    std::function<void()> on_notice = [] {};    // the bus must hear of something
    // Where the files of the configuration stand, beside the main one: it was just read.
    std::function<void(std::vector<std::string>)> on_folders = [](const std::vector<std::string>&) {};
  };

  // Requires: all of them outlive it.
  NetworkApplier(NetworkNode& node, ApplyStore& store, const Clock& clock, Logger& logger, Options options);

  // Takes up what an earlier process left, before anything else happens: others wait until it has, and are refused once it could
  // not. Call until it is OK.
  absl::Status Recover();

  // The record is kCommitted, kAwaitingConfirmation, or undone. An error when nothing was touched, or as ApplyTransaction::Undo.
  absl::StatusOr<ApplyRecord> Apply(const ApplyRequest& request, const std::stop_token& stop);
  absl::StatusOr<ApplyRecord> Confirm(const std::string& apply_id, bool validate_only);
  // What awaited confirmation is kReverted, or kUndoFailed; else as Apply.
  absl::StatusOr<ApplyRecord> Revert(const RevertRequest& request, const std::stop_token& stop);

  // Of what is under way.
  std::optional<ApplyProgress> Progress() const ABSL_LOCKS_EXCLUDED(mu_);

  // When GoOn has something to do.
  std::optional<SteadyTime> NextDeadline() const ABSL_LOCKS_EXCLUDED(mu_);
  // Reverts what was not confirmed in time; tries again what could not be undone.
  absl::Status GoOn();
  // The files may have been changed by others: when they mean something else now, and have no errors, the bus hears of it.
  absl::Status NoticeOtherChanges(const std::stop_token& stop);

 private:
  // The right to change something, for as long as it lives.
  class Turn {
   public:
    explicit Turn(NetworkApplier& applier) : applier_(&applier) {}
    Turn(Turn&& other) noexcept : applier_(std::exchange(other.applier_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (applier_ != nullptr) applier_->GiveTurnBack();
    }

   private:
    NetworkApplier* applier_;
  };

  // Waits for short work of others and for the same request; ABORTED APPLY_IN_PROGRESS otherwise, or UNAVAILABLE
  // RECOVERY_PENDING.
  absl::StatusOr<Turn> TakeTurn(const std::string& request_id) ABSL_LOCKS_EXCLUDED(mu_);
  void GiveTurnBack() ABSL_LOCKS_EXCLUDED(mu_);
  void Begin(const std::string& apply_id, const std::string& request_id) ABSL_LOCKS_EXCLUDED(mu_);
  void SetStep(ApplyStep step) ABSL_LOCKS_EXCLUDED(mu_);

  absl::Status CheckNothingAwaits() const ABSL_LOCKS_EXCLUDED(mu_);
  ApplyRecord NewRecord(ApplySource source) const;
  absl::StatusOr<ApplyRecord> ApplyInTurn(const ApplyRequest& request, const std::stop_token& stop);
  // What has the request's request_id already.
  absl::StatusOr<ApplyRecord> RevertAgain(const ApplyRecord& earlier, const RevertRequest& request, const std::stop_token& stop);
  absl::StatusOr<ApplyRecord> RevertInTurn(const RevertRequest& request, const std::stop_token& stop);
  absl::StatusOr<ApplyRecord> RevertCommitted(const ApplyRecord& reverted, const RevertRequest& request,
                                              const std::stop_token& stop);
  // From the candidate to the end of the apply.
  absl::StatusOr<ApplyRecord> Execute(ApplyRecord record, const ApplyPlan& plan, Candidate candidate, bool validate_only,
                                      const std::stop_token& stop);
  absl::StatusOr<ApplyRecord> UndoInTurn(const ApplyRecord& record, const ApplyFailure& failure);
  absl::StatusOr<std::optional<ApplyRecord>> FindAwaiting() const;
  absl::StatusOr<ApplyRecord> FindRevertible(const std::string& apply_id) const;
  void RecoverOne(const ApplyRecord& record);
  void LeaveToOthers(ApplyRecord record);
  absl::Status RevertUnconfirmed();
  absl::Status TryAgain();
  absl::Status NoticeInTurn(ApplySource source);
  void Ended(const absl::StatusOr<ApplyRecord>& record) ABSL_LOCKS_EXCLUDED(mu_);

  NetworkNode& node_;
  ApplyStore& store_;
  const Clock& clock_;
  Logger& logger_;
  const Options options_;
  // Of who has the turn:
  ApplyTransaction transaction_;
  std::set<std::string, std::less<>> of_sdn_;  // the interfaces that Proxmox VE's SDN defined when they were read last

  mutable Mutex mu_;
  CondVar freed_;
  bool taken_ ABSL_GUARDED_BY(mu_) = true;                      // somebody has the turn: first Recover
  bool cannot_recover_ ABSL_GUARDED_BY(mu_) = false;            // yet
  std::optional<ApplyProgress> progress_ ABSL_GUARDED_BY(mu_);  // of an apply that has it
  std::string awaiting_ ABSL_GUARDED_BY(mu_);                   // the apply that awaits confirmation; empty: none
  std::optional<SteadyTime> confirm_until_ ABSL_GUARDED_BY(mu_);
  std::optional<SteadyTime> try_again_ ABSL_GUARDED_BY(mu_);  // what could not be undone
};

}  // namespace pvebus::network
