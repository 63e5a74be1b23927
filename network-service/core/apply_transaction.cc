#include "network-service/core/apply_transaction.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "network-service/core/applied_checks.h"
#include "network-service/core/checked_reload.h"
#include "network-service/core/errors.h"
#include "network-service/core/ifupdown2_output.h"
#include "network-service/core/interfaces_printer.h"
#include "network-service/core/printed_interfaces.h"

namespace pvebus::network {
namespace {

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

// As ifreload -a sees it: what only hotplug brings up it leaves alone.
Interfaces OfReload(const NetworkConfiguration& configuration) {
  Interfaces interfaces = configuration.interfaces;
  for (auto& [name, interface] : interfaces) interface.enabled = interface.enabled && configuration.automatic.contains(name);
  return interfaces;
}

// What is wrong after an undo. What another reload cannot mend is no failure.
ReloadVerdict JudgeUndo(const Interfaces& old, const NetworkSnapshot& kernel) {
  ReloadVerdict verdict;
  for (AppliedFinding& finding : FindDifferences(old, kernel)) {
    const bool is_failure = !finding.known_limit && finding.missing_card.empty();
    (is_failure ? verdict.failures : verdict.warnings).push_back(std::move(finding));
  }
  return verdict;
}

// What the bus knows of once it has heard that the record was taken back. What others changed meanwhile it knows, too.
std::string KnownAfterRevert(const KnownConfiguration& known, const ApplyRecord& record) {
  if (known.interfaces == record.new_interfaces) return record.old_interfaces;
  Interfaces interfaces = ParsePrinted(known.interfaces);
  for (ConfigChange& change : ChangesBack(record)) {
    interfaces.erase(change.target);
    if (change.new_config) interfaces.emplace(change.target, *std::move(change.new_config));
  }
  return PrintInterfaces(interfaces);
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
  const Interfaces before = OfReload(plan.before);
  const Interfaces after = OfReload(plan.after);
  const bool lacked_cards = LacksCards(FindDifferences(before, kernel_before));
  const ReloadOutcome outcome = ReloadAndCompare(
      node_,
      {.compare = [&](const auto& kernel) { return JudgeReload(before, after, plan.diff.changes, kernel_before, kernel); },
       .may_be_incomplete = [&](const ReloadVerdict& /*verdict*/) { return lacked_cards; }},
      [this] { on_step_(ApplyStep::kVerifying); });
  record.reload = outcome.report;
  if (outcome.report) {
    for (const std::string& complaint : ComplaintsIn(*outcome.report)) record.warnings.push_back("ifreload: " + complaint);
  }
  if (outcome.verdict) {
    for (const AppliedFinding& finding : outcome.verdict->warnings) record.warnings.push_back(finding.message);
  }
  return outcome.failure;
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
  KnownConfiguration known{record.old_interfaces, boot_id_};
  if (was_in_force) {
    const auto before = store_.Known();
    if (before.ok() && *before) known.interfaces = KnownAfterRevert(**before, record);
  }
  const absl::Status status = store_.Update(record, notices, known);
  if (!status.ok()) {
    return UndoUnfinished(record.apply_id, absl::StrFormat("%s; it was undone, but that could not be recorded: %s",
                                                           failure.message, MessageOf(status)));
  }
  (void)node_.DropOld();
  return record;
}

std::string ApplyTransaction::ReloadOld(ApplyRecord& record) {
  const Interfaces old = ParsePrinted(record.old_interfaces);
  const ReloadOutcome outcome =
      ReloadAndCompare(node_,
                       {.compare = [&](const NetworkSnapshot& kernel) { return JudgeUndo(old, kernel); },
                        .may_be_incomplete = [](const ReloadVerdict& verdict) { return LacksCards(verdict.warnings); }},
                       [] {});
  if (outcome.verdict) {
    for (const auto* findings : {&outcome.verdict->failures, &outcome.verdict->warnings}) {
      for (const AppliedFinding& finding : *findings) record.warnings.push_back("after it was undone: " + finding.message);
    }
  }
  // That it ended well is enough: what was there before an apply need not have been in order.
  const bool ended_well = outcome.report && outcome.report->exit_code == 0;
  return outcome.failure && !ended_well ? outcome.failure->message : "";
}

}  // namespace pvebus::network
