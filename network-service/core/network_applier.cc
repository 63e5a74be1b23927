#include "network-service/core/network_applier.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "network-service/core/errors.h"
#include "network-service/core/ifupdown2_output.h"
#include "network-service/core/interfaces_printer.h"
#include "network-service/core/printed_interfaces.h"
#include "sdk/base/error.h"
#include "sdk/base/utf8.h"

namespace pvebus::network {
namespace {

// How far back what can be taken back is looked for: what others changed stands between.
constexpr size_t kLookedAt = 100;
// After an apply could not be undone.
constexpr std::chrono::seconds kTryAgainAfter{10};

bool WasUndone(const ApplyRecord& record) {
  return record.state == ApplyState::kFailed || record.state == ApplyState::kReverted || record.state == ApplyState::kUndoFailed;
}

// Lines of the log are one line.
std::string Logged(const std::string& text) { return CleanUtf8(text, 512); }

absl::Status CheckRequest(const ApplyRequest& request) {
  if (request.reason.size() > kMostReasonBytes) return FieldTooLong("reason", kMostReasonBytes);
  if (request.request_id.size() > kMostRequestIdBytes) return FieldTooLong("request_id", kMostRequestIdBytes);
  const Duration timeout = request.confirm_timeout;
  if (timeout != Duration::zero() && (timeout < kLeastConfirmTimeout || timeout > kMostConfirmTimeout)) {
    return ConfirmTimeoutInvalid();
  }
  return absl::OkStatus();
}

}  // namespace

NetworkApplier::NetworkApplier(NetworkNode& node, ApplyStore& store, const Clock& clock, Logger& logger, Options options)
    : node_(node),
      store_(store),
      clock_(clock),
      logger_(logger),
      options_(std::move(options)),
      transaction_(node_, store_, clock_, options_.boot_id, [this](ApplyStep step) { SetStep(step); }) {}

absl::StatusOr<NetworkApplier::Turn> NetworkApplier::TakeTurn(const std::string& request_id) {
  MutexLock lock(mu_);
  while (taken_) {
    // Nobody knows when, or whether, it can.
    if (cannot_recover_) return RecoveryPending();
    const bool same = progress_ && !request_id.empty() && progress_->request_id == request_id;
    if (progress_ && !same) return ApplyInProgress(progress_->apply_id);
    freed_.Wait(mu_);
  }
  taken_ = true;
  return Turn(*this);
}

void NetworkApplier::GiveTurnBack() {
  MutexLock lock(mu_);
  taken_ = false;
  progress_.reset();
  freed_.NotifyAll();
}

void NetworkApplier::Begin(const std::string& apply_id, const std::string& request_id) {
  MutexLock lock(mu_);
  progress_ = {.apply_id = apply_id, .request_id = request_id, .step = ApplyStep::kChecking, .since = clock_.SystemNow()};
}

void NetworkApplier::SetStep(ApplyStep step) {
  MutexLock lock(mu_);
  if (!progress_) return;
  progress_->step = step;
  progress_->since = clock_.SystemNow();
}

std::optional<ApplyProgress> NetworkApplier::Progress() const {
  MutexLock lock(mu_);
  return progress_;
}

absl::Status NetworkApplier::CheckNothingAwaits() const {
  MutexLock lock(mu_);
  if (!awaiting_.empty()) return ConfirmationPending(awaiting_);
  if (try_again_) return UndoUnfinished("", "the last apply could not be undone yet");
  return absl::OkStatus();
}

ApplyRecord NetworkApplier::NewRecord(ApplySource source) const {
  return {.apply_id = options_.new_id(), .source = source, .begin_time = clock_.SystemNow()};
}

absl::StatusOr<ApplyRecord> NetworkApplier::Apply(const ApplyRequest& request, const std::stop_token& stop) {
  if (absl::Status status = CheckRequest(request); !status.ok()) return status;
  auto turn = TakeTurn(request.request_id);
  if (!turn.ok()) return turn.status();
  if (!request.request_id.empty()) {
    auto earlier = store_.FindRequest(request.request_id);
    if (!earlier.ok()) return earlier.status();
    if (*earlier) {
      const bool same = (*earlier)->source == ApplySource::kPending && (*earlier)->request_id == request.request_id &&
                        (*earlier)->confirm_timeout == request.confirm_timeout;
      return same ? absl::StatusOr<ApplyRecord>(**std::move(earlier)) : RequestIdInUse(request.request_id);
    }
  }
  return ApplyInTurn(request, stop);
}

absl::StatusOr<ApplyRecord> NetworkApplier::ApplyInTurn(const ApplyRequest& request, const std::stop_token& stop) {
  if (absl::Status status = CheckNothingAwaits(); !status.ok()) return status;
  if (absl::Status status = node_.CheckAbility(); !status.ok()) return status;
  ApplyRecord record = NewRecord(ApplySource::kPending);
  record.request_id = request.request_id;
  record.reason = request.reason;
  record.requested_by = request.requested_by;
  record.confirm_timeout = request.confirm_timeout;
  Begin(record.apply_id, request.request_id);
  SetStep(ApplyStep::kLocking);
  const auto lock = node_.Lock(stop);
  if (!lock.ok()) return lock.status();
  SetStep(ApplyStep::kChecking);
  // What others changed before is not what this apply changes. That it cannot be noticed now is no reason to refuse.
  (void)NoticeInTurn(ApplySource::kFile);
  const auto files = node_.ReadFiles();
  if (!files.ok()) return files.status();
  if (!files->staged) return NothingStaged(options_.staged_path);
  const auto plan = ReadPlan(node_, Candidate::kStaged);
  if (!plan.ok()) return plan.status();
  if (!request.etag.empty() && request.etag != plan->etag) return EtagMismatch(plan->etag);
  record.new_file = plan->files.staged.value_or("");
  return Execute(std::move(record), *plan, Candidate::kStaged, request.validate_only, stop);
}

absl::StatusOr<ApplyRecord> NetworkApplier::Execute(ApplyRecord record, const ApplyPlan& plan, Candidate candidate,
                                                    bool validate_only, const std::stop_token& stop) {
  if (!plan.diff.accepted) return StagedInvalid(plan.diff);
  SetStep(ApplyStep::kCheckingSyntax);
  const auto syntax = node_.CheckSyntax(candidate, stop);
  if (!syntax.ok()) return syntax.status();
  if (RefusesConfiguration(*syntax)) return SyntaxCheckFailed(*syntax);
  record.old_file = plan.files.applied;
  record.old_interfaces = PrintInterfaces(plan.before.interfaces);
  record.new_interfaces = PrintInterfaces(plan.after.interfaces);
  record.warnings = WarningsOf(plan.diff);
  if (validate_only) {
    record.apply_id.clear();
    return record;
  }
  logger_.Info("apply=%s state=APPLYING source=%s changes=%d reason=\"%s\"", record.apply_id, NameOf(record.source),
               plan.diff.changes.size(), Logged(record.reason));
  auto ended = transaction_.Run(std::move(record), plan, candidate);
  Ended(ended);
  return ended;
}

absl::StatusOr<ApplyRecord> NetworkApplier::UndoInTurn(const ApplyRecord& record, const ApplyFailure& failure) {
  Begin(record.apply_id, record.request_id);
  logger_.Warning("apply=%s state=%s message=\"is undone: %s\"", record.apply_id,
                  NameOf(record.state == ApplyState::kApplying ? ApplyState::kApplying : ApplyState::kReverting),
                  Logged(failure.message));
  auto ended = transaction_.Undo(record, failure);
  Ended(ended);
  return ended;
}

// What comes next, after a record got another state.
void NetworkApplier::Ended(const absl::StatusOr<ApplyRecord>& record) {
  if (!record.ok()) {
    const bool unfinished = ErrorReason(record.status()) == "UNDO_FAILED";
    logger_.Error("message=\"%s\"", Logged(std::string(record.status().message())));
    if (!unfinished) return;
  } else if (WasUndone(*record)) {
    logger_.Error("apply=%s state=%s reason=%s message=\"%s\"", record->apply_id, NameOf(record->state), record->failure.reason,
                  Logged(record->failure.message));
  } else {
    logger_.Info("apply=%s state=%s", record->apply_id, NameOf(record->state));
  }
  {
    MutexLock lock(mu_);
    const bool awaits = record.ok() && record->state == ApplyState::kAwaitingConfirmation;
    awaiting_ = awaits ? record->apply_id : "";
    confirm_until_.reset();
    if (awaits) confirm_until_ = clock_.SteadyNow() + record->confirm_timeout;
    try_again_.reset();
    if (!record.ok()) try_again_ = clock_.SteadyNow() + kTryAgainAfter;
  }
  options_.on_deadline();
  options_.on_notice();
}

absl::StatusOr<std::optional<ApplyRecord>> NetworkApplier::FindAwaiting() const {
  std::string apply_id;
  {
    MutexLock lock(mu_);
    apply_id = awaiting_;
  }
  if (apply_id.empty()) return std::optional<ApplyRecord>();
  return store_.Find(apply_id);
}

absl::StatusOr<ApplyRecord> NetworkApplier::Confirm(const std::string& apply_id, bool validate_only) {
  auto turn = TakeTurn("");
  if (!turn.ok()) return turn.status();
  auto found = apply_id.empty() ? FindAwaiting() : store_.Find(apply_id);
  if (!found.ok()) return found.status();
  if (!*found) return apply_id.empty() ? NothingToConfirm() : ApplyNotFound(apply_id);
  ApplyRecord record = **std::move(found);
  if (record.state == ApplyState::kCommitted) return record;
  if (record.state != ApplyState::kAwaitingConfirmation) return ApplyNotInForce(record);
  if (validate_only) return record;
  record.state = ApplyState::kCommitted;
  record.end_time = clock_.SystemNow();
  if (absl::Status status = store_.Update(record, {}, std::nullopt); !status.ok()) return status;
  (void)node_.DropOld();
  Ended(record);
  return record;
}

absl::StatusOr<ApplyRecord> NetworkApplier::Revert(const RevertRequest& request, const std::stop_token& stop) {
  if (request.reason.size() > kMostReasonBytes) return FieldTooLong("reason", kMostReasonBytes);
  if (request.request_id.size() > kMostRequestIdBytes) return FieldTooLong("request_id", kMostRequestIdBytes);
  auto turn = TakeTurn(request.request_id);
  if (!turn.ok()) return turn.status();
  if (!request.request_id.empty()) {
    auto earlier = store_.FindRequest(request.request_id);
    if (!earlier.ok()) return earlier.status();
    if (*earlier) {
      return RevertAgain(**earlier, request, stop);
    }
  }
  return RevertInTurn(request, stop);
}

absl::StatusOr<ApplyRecord> NetworkApplier::RevertAgain(const ApplyRecord& earlier, const RevertRequest& request,
                                                        const std::stop_token& stop) {
  const bool undid = earlier.revert_request_id == request.request_id;
  const bool is_revert = !undid && earlier.source == ApplySource::kRevert;
  const std::string& what = undid ? earlier.apply_id : earlier.reverts_apply_id;
  if (!(undid || is_revert) || (!request.apply_id.empty() && request.apply_id != what)) return RequestIdInUse(request.request_id);
  if (!undid || !IsUnderWay(earlier.state)) return earlier;
  RevertRequest again = request;
  again.apply_id = earlier.apply_id;
  return RevertInTurn(again, stop);
}

absl::StatusOr<ApplyRecord> NetworkApplier::FindRevertible(const std::string& apply_id) const {
  if (!apply_id.empty()) {
    auto found = store_.Find(apply_id);
    if (!found.ok()) return found.status();
    if (!*found) return ApplyNotFound(apply_id);
    return **std::move(found);
  }
  // Whatever others changed since: it is what may have cut somebody off.
  auto awaiting = FindAwaiting();
  if (!awaiting.ok()) return awaiting.status();
  if (*awaiting) return **std::move(awaiting);
  auto newest = store_.List(0, kLookedAt);
  if (!newest.ok()) return newest.status();
  for (ApplyRecord& record : *newest) {
    if (!WasUndone(record)) return std::move(record);
  }
  return NothingToRevert();
}

absl::StatusOr<ApplyRecord> NetworkApplier::RevertInTurn(const RevertRequest& request, const std::stop_token& stop) {
  auto record = FindRevertible(request.apply_id);
  if (!record.ok()) return record.status();
  if (WasUndone(*record)) return ApplyNotInForce(*record);
  if (absl::Status status = node_.CheckAbility(); !status.ok()) return status;
  if (record->state == ApplyState::kCommitted) {
    if (absl::Status status = CheckNothingAwaits(); !status.ok()) return status;
    return RevertCommitted(*record, request, stop);
  }
  if (request.validate_only) return *record;
  Begin(record->apply_id, request.request_id);
  SetStep(ApplyStep::kLocking);
  const auto lock = node_.Lock(stop);
  if (!lock.ok()) return lock.status();
  const std::string why = request.reason.empty() ? "" : ": " + request.reason;
  record->revert_request_id = request.request_id;
  return UndoInTurn(*record, {"REVERTED", absl::StrFormat("it was taken back by %s%s", request.requested_by, why)});
}

absl::StatusOr<ApplyRecord> NetworkApplier::RevertCommitted(const ApplyRecord& reverted, const RevertRequest& request,
                                                            const std::stop_token& stop) {
  if (reverted.source != ApplySource::kPending && reverted.source != ApplySource::kRevert) return NotRevertible(reverted);
  ApplyRecord record = NewRecord(ApplySource::kRevert);
  record.request_id = request.request_id;
  record.reason = request.reason;
  record.requested_by = request.requested_by;
  record.reverts_apply_id = reverted.apply_id;
  Begin(record.apply_id, request.request_id);
  SetStep(ApplyStep::kLocking);
  const auto lock = node_.Lock(stop);
  if (!lock.ok()) return lock.status();
  SetStep(ApplyStep::kChecking);
  (void)NoticeInTurn(ApplySource::kFile);
  const auto files = node_.ReadFiles();
  if (!files.ok()) return files.status();
  if (files->applied != reverted.new_file) return ApplySuperseded(reverted);
  if (absl::Status status = node_.PutRevertCandidate(reverted.old_file.value_or("")); !status.ok()) return status;
  const auto plan = ReadPlan(node_, Candidate::kRevert);
  record.new_file = reverted.old_file.value_or("");
  auto ended = plan.ok() ? Execute(std::move(record), *plan, Candidate::kRevert, request.validate_only, stop)
                         : absl::StatusOr<ApplyRecord>(plan.status());
  // Of an apply that was refused the candidate is still there; one that could not be undone yet needs what it has.
  const bool refused = ended.ok() ? ended->apply_id.empty() : ErrorReason(ended.status()) != "UNDO_FAILED";
  if (refused) (void)node_.DropOld();
  return ended;
}

}  // namespace pvebus::network
