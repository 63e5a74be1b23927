#include "network-service/core/apply_transaction.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "network-service/core/applied_checks.h"
#include "network-service/core/errors.h"
#include "network-service/core/ifupdown2_output.h"
#include "network-service/core/printed_interfaces.h"
#include "network-service/core/program_output.h"
#include "sdk/base/error.h"
#include "sdk/base/utf8.h"

namespace pvebus::network {
namespace {

// Of what differs, in a message.
constexpr size_t kMostFindings = 5;

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

ApplyFailure FailureOf(const absl::Status& status, const char* reason) {
  const std::string own = ErrorReason(status);
  return {.reason = own.empty() ? reason : own, .message = MessageOf(status)};
}

// Empty: it did its work.
std::optional<ApplyFailure> FailureOf(const ProgramReport& report) {
  const std::string output = EndOfOutput(report);
  if (report.timed_out) return ApplyFailure{"RELOAD_TIMED_OUT", "ifreload -a did not end in time and was ended: " + output};
  if (report.exit_code == 0) return std::nullopt;
  return ApplyFailure{"RELOAD_FAILED", absl::StrFormat("ifreload -a ended with %d: %s", report.exit_code, output)};
}

ApplyFailure NotAsConfigured(const std::vector<AppliedFinding>& findings) {
  std::string text;
  for (size_t i = 0; i < std::min(findings.size(), kMostFindings); ++i) {
    text += (i == 0 ? "" : "; ") + findings[i].message;
  }
  if (findings.size() > kMostFindings) text += absl::StrFormat("; and %d more", findings.size() - kMostFindings);
  return {"NOT_AS_CONFIGURED", "ifreload -a ended well, but the network is not what the configuration says: " + text};
}

// As ifreload -a sees it: what only hotplug brings up it leaves alone.
Interfaces OfReload(const NetworkConfiguration& configuration) {
  Interfaces interfaces = configuration.interfaces;
  for (auto& [name, interface] : interfaces) interface.enabled = interface.enabled && configuration.automatic.contains(name);
  return interfaces;
}

}  // namespace

ApplyTransaction::ApplyTransaction(NetworkNode& node, ApplyStore& store, const Clock& clock, std::string boot_id,
                                   std::function<void(ApplyStep)> on_step)
    : node_(node), store_(store), clock_(clock), boot_id_(std::move(boot_id)), on_step_(std::move(on_step)) {}

absl::StatusOr<ApplyRecord> ApplyTransaction::Run(ApplyRecord record, const ApplyPlan& plan, Candidate candidate) {
  const auto kernel_before = node_.ReadKernel();
  if (!kernel_before.ok()) return kernel_before.status();
  record.state = ApplyState::kApplying;
  // From here on a later process would undo it.
  if (absl::Status status = store_.Add(record, {}, std::nullopt); !status.ok()) return status;
  std::optional<ApplyFailure> failure = PutInForce(record, plan, candidate, *kernel_before);
  if (!failure) failure = Commit(record, plan.diff);
  if (failure) return Undo(std::move(record), *failure);
  // What is left behind in vain is replaced by the next apply.
  if (record.state == ApplyState::kCommitted) (void)node_.DropOld();
  return record;
}

std::optional<ApplyFailure> ApplyTransaction::PutInForce(ApplyRecord& record, const ApplyPlan& plan, Candidate candidate,
                                                         const NetworkSnapshot& kernel_before) {
  on_step_(ApplyStep::kInstalling);
  absl::Status status = node_.KeepOld();
  if (status.ok()) status = node_.Install(candidate);
  if (!status.ok()) return FailureOf(status, "NOT_INSTALLED");
  const auto installed = node_.ReadFiles();
  if (!installed.ok()) return FailureOf(installed.status(), "NOT_INSTALLED");
  if (installed->applied != record.new_file) {
    return ApplyFailure{"STAGED_CHANGED", "what was staged was changed while it was checked"};
  }
  on_step_(ApplyStep::kReloading);
  auto report = node_.Reload({});
  if (!report.ok()) return FailureOf(report.status(), "RELOAD_FAILED");
  record.reload = *std::move(report);
  if (auto failure = FailureOf(*record.reload)) return failure;
  for (const std::string& complaint : ComplaintsIn(*record.reload)) record.warnings.push_back("ifreload: " + complaint);
  on_step_(ApplyStep::kVerifying);
  const auto kernel_after = node_.ReadKernel();
  if (!kernel_after.ok()) return FailureOf(kernel_after.status(), "NOT_VERIFIED");
  const ReloadVerdict verdict =
      JudgeReload(OfReload(plan.before), OfReload(plan.after), plan.diff.changes, kernel_before, *kernel_after);
  for (const AppliedFinding& finding : verdict.warnings) record.warnings.push_back(finding.message);
  if (!verdict.failures.empty()) return NotAsConfigured(verdict.failures);
  return std::nullopt;
}

std::optional<ApplyFailure> ApplyTransaction::Commit(ApplyRecord& record, const NetworkDiff& diff) {
  const SystemTime now = clock_.SystemNow();
  ApplyRecord committed = record;
  committed.state = ApplyState::kCommitted;
  committed.end_time = now;
  if (record.confirm_timeout > Duration::zero()) {
    committed.state = ApplyState::kAwaitingConfirmation;
    committed.confirm_until = now + std::chrono::duration_cast<SystemTime::duration>(record.confirm_timeout);
  }
  std::vector<NoticeKind> notices;
  if (!diff.changes.empty()) notices.push_back(NoticeKind::kApplied);
  const absl::Status status = store_.Update(committed, notices, KnownConfiguration{record.new_interfaces, boot_id_});
  if (!status.ok()) return FailureOf(status, "NOT_RECORDED");
  record = std::move(committed);
  return std::nullopt;
}

absl::StatusOr<ApplyRecord> ApplyTransaction::Undo(ApplyRecord record, const ApplyFailure& failure) {
  const bool was_in_force = record.state != ApplyState::kApplying;
  if (was_in_force) record.state = ApplyState::kReverting;
  record.failure = failure;
  // So that a later process goes on with it, and knows why. It would do so without it, too: a full disk is no reason to stay.
  (void)store_.Update(record, {}, std::nullopt);
  on_step_(ApplyStep::kUndoing);
  // What is staged is applied when the node boots: not what has cut somebody off.
  const auto keep = record.source == ApplySource::kRevert ? NetworkNode::Keep::kNot
                    : was_in_force                        ? NetworkNode::Keep::kAsReverted
                                                          : NetworkNode::Keep::kAsStaged;
  if (absl::Status status = node_.Restore(record.old_file, keep); !status.ok()) {
    return UndoUnfinished(record.apply_id,
                          absl::StrFormat("%s; and the old file could not be put back: %s", failure.message, MessageOf(status)));
  }
  const std::string trouble = ReloadOld(record);
  record.end_time = clock_.SystemNow();
  record.state = was_in_force ? ApplyState::kReverted : ApplyState::kFailed;
  std::vector<NoticeKind> notices;
  if (was_in_force && record.old_interfaces != record.new_interfaces) notices.push_back(NoticeKind::kReverted);
  if (!trouble.empty()) {
    record.state = ApplyState::kUndoFailed;
    record.failure.message += "; the old files are back, but not the network: " + trouble;
  }
  if (!was_in_force || !trouble.empty()) notices.push_back(NoticeKind::kFailed);
  const absl::Status status = store_.Update(record, notices, KnownConfiguration{record.old_interfaces, boot_id_});
  if (!status.ok()) {
    return UndoUnfinished(record.apply_id, absl::StrFormat("%s; it was undone, but that could not be recorded: %s",
                                                           failure.message, MessageOf(status)));
  }
  (void)node_.DropOld();
  return record;
}

std::string ApplyTransaction::ReloadOld(ApplyRecord& record) {
  const auto report = node_.Reload({});
  if (!report.ok()) return MessageOf(report.status());
  if (const auto failure = FailureOf(*report)) return failure->message;
  const auto kernel = node_.ReadKernel();
  const auto interfaces = ParsePrinted(record.old_interfaces);
  if (!kernel.ok()) return "";
  for (const AppliedFinding& finding : FindDifferences(interfaces, *kernel)) {
    record.warnings.push_back("after it was undone: " + finding.message);
  }
  return "";
}

}  // namespace pvebus::network
