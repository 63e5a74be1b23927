#include "storage-service/core/vlan_builder.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "storage-service/core/vlan_errors.h"

namespace pvebus::storage {
namespace {

using Outcome = VlanReport::Outcome;
using Phase = StorageVlanRecord::Phase;

std::string Joined(std::string text, std::string_view more) {
  if (!text.empty() && !more.empty()) text += "; ";
  return text += more;
}

VlanReport Failed(const StorageVlan& vlan, const absl::Status& status) {
  VlanReport report = ReportOn(vlan);
  Fail(report, status);
  return report;
}

// Nobody was told yet of the link that this record may have made.
bool Untold(const StorageVlanRecord& record) { return record.phase == Phase::kRecreating && record.made.link; }

}  // namespace

VlanReport VlanBuilder::Preview(const StorageVlan& vlan, bool is_new) {
  const auto state = ReadVlanState(network_, isolation_, vlan);
  if (!state.ok()) return Failed(vlan, state.status());
  VlanReport report = ReportOn(vlan);
  report.before = StateText(vlan, *state);
  report.after = report.before;
  const auto plan = PlanVlan(vlan, *state);
  if (!plan.ok()) {
    Fail(report, plan.status());
    return report;
  }
  report.message = plan->waiting;
  if (plan->steps.empty() && !is_new) return report;
  report.outcome = Outcome::kDryRun;
  report.after = StateText(vlan, AfterSteps(vlan, plan->steps, *state));
  const std::string adopts = plan->CreatesLink() || !is_new ? "" : absl::StrFormat("would adopt %s", vlan.LinkName());
  const std::string steps = plan->steps.empty() ? "" : absl::StrFormat("would %s", StepsText(vlan, plan->steps, /*done=*/false));
  report.message = Joined(Joined(adopts, steps), plan->waiting);
  return report;
}

VlanReport VlanBuilder::Define(const StorageVlan& vlan, std::string_view parent_event_id) {
  VlanReport report = ReportOn(vlan);
  const auto state = ReadVlanState(network_, isolation_, vlan);
  if (!state.ok()) return Failed(vlan, state.status());
  report.before = report.after = StateText(vlan, *state);
  const auto plan = PlanVlan(vlan, *state);
  if (!plan.ok()) {
    Fail(report, plan.status());
    return report;
  }
  StorageVlanRecord record{.vlan = vlan,
                           .phase = plan->steps.empty() ? Phase::kDefined : Phase::kCreating,
                           .made = MadeAfter(plan->steps, {}),
                           .create_time = clock_.SystemNow()};
  absl::Status status = Put(record);
  if (!status.ok()) return Failed(vlan, status);
  report.outcome = Outcome::kChanged;
  report.message = plan->CreatesLink() ? "" : absl::StrFormat("adopted %s", vlan.LinkName());
  if (plan->steps.empty()) {
    report.message = Joined(report.message, plan->waiting);
    return report;
  }
  VlanTransaction transaction(network_, isolation_, vlan);
  status = Build(vlan, *plan, transaction, report);
  if (status.ok()) {
    StorageVlanRecord defined = record;
    defined.phase = Phase::kDefined;
    std::vector<Notice> notices;
    if (plan->CreatesLink()) notices.push_back(Told(Notice::Kind::kVlanCreated, vlan, parent_event_id));
    status = Put(defined, notices);
  }
  if (!status.ok()) Fail(report, Withdraw(record, transaction, status));
  return report;
}

VlanReport VlanBuilder::PutRight(const StorageVlanRecord& record, std::string_view parent_event_id) {
  const StorageVlan& vlan = record.vlan;
  VlanReport report = ReportOn(vlan);
  const auto state = ReadVlanState(network_, isolation_, vlan);
  if (!state.ok()) return Failed(vlan, state.status());
  report.before = report.after = StateText(vlan, *state);
  const auto plan = PlanVlan(vlan, *state);
  if (!plan.ok()) {
    if (!HasVlan(state->network, vlan)) ForgetLink(record, state->network);
    Fail(report, plan.status());
    return report;
  }
  if (plan->steps.empty() && record.phase == Phase::kDefined) {
    report.message = plan->waiting;
    return report;
  }
  const bool tell = plan->CreatesLink() || Untold(record);
  StorageVlanRecord intent = record;
  intent.made = MadeAfter(plan->steps, record.made);
  intent.phase = tell ? Phase::kRecreating : Phase::kDefined;
  if (absl::Status status = intent == record ? absl::OkStatus() : Put(intent); !status.ok()) {
    Fail(report, status);
    return report;
  }
  report.outcome = Outcome::kChanged;
  VlanTransaction transaction(network_, isolation_, vlan);
  if (absl::Status status = Build(vlan, *plan, transaction, report); !status.ok()) {
    Fail(report, Restore(record, intent, transaction, status));
    return report;
  }
  if (!tell) return report;
  intent.phase = Phase::kDefined;
  // The link stays when this fails: it serves its storage, and the record says that nobody was told.
  if (absl::Status status = Put(intent, {Told(Notice::Kind::kVlanCreated, vlan, parent_event_id)}); !status.ok()) {
    Fail(report,
         WithMore(status, absl::StrFormat("%s is in place, and the bus will be told once this can be kept", vlan.LinkName())));
    return report;
  }
  report.link_created = true;
  return report;
}

VlanReport VlanBuilder::PreviewRemoval(const StorageVlanRecord& record) {
  const auto state = ReadVlanState(network_, isolation_, record.vlan);
  if (!state.ok()) return Failed(record.vlan, state.status());
  const auto steps = PlanRemoval(record, *state);
  VlanReport report = ReportOn(record.vlan);
  report.outcome = Outcome::kDryRun;
  report.before = StateText(record.vlan, *state);
  report.after = StateText(record.vlan, AfterSteps(record.vlan, steps, *state));
  report.message = Joined(steps.empty() ? "" : absl::StrFormat("would %s", StepsText(record.vlan, steps, /*done=*/false)),
                          WhatStays(record, *state));
  return report;
}

VlanReport VlanBuilder::TakeAway(const StorageVlanRecord& record) {
  VlanReport report = ReportOn(record.vlan);
  if (absl::Status status = Remove(record, /*tell=*/true, report); !status.ok()) Fail(report, status);
  return report;
}

absl::Status VlanBuilder::Settle(const StorageVlanRecord& record) {
  VlanReport report = ReportOn(record.vlan);
  switch (record.phase) {
    case Phase::kDefined:
      return absl::OkStatus();
    case Phase::kRecreating:
      return PutRight(record, {}).status;
    case Phase::kDeleting:
      return Remove(record, /*tell=*/true, report);
    case Phase::kCreating:
      break;
  }
  const auto network = network_.Read();
  if (!network.ok()) return network.status();
  if (!record.made.link || !HasVlan(*network, record.vlan)) return Remove(record, /*tell=*/false, report);
  StorageVlanRecord begun = record;
  begun.phase = Phase::kRecreating;
  return PutRight(begun, {}).status;
}

bool VlanBuilder::TakeNoticed() { return std::exchange(noticed_, false); }

absl::Status VlanBuilder::Build(const StorageVlan& vlan, const VlanPlan& plan, VlanTransaction& transaction, VlanReport& report) {
  absl::Status applied = transaction.Apply(plan.steps);
  report.touched = transaction.touched();
  if (!applied.ok()) return applied;
  const auto state = ReadVlanState(network_, isolation_, vlan);
  if (!state.ok()) return state.status();
  const auto rest = PlanVlan(vlan, *state);
  if (!rest.ok()) return rest.status();
  if (!rest->steps.empty()) return VlanNotInPlace(vlan, FindingsText(vlan, rest->steps));
  report.after = StateText(vlan, *state);
  report.link_created = plan.CreatesLink();
  report.message = Joined(Joined(report.message, StepsText(vlan, plan.steps, /*done=*/true)), rest->waiting);
  return absl::OkStatus();
}

absl::Status VlanBuilder::Withdraw(StorageVlanRecord record, VlanTransaction& transaction, const absl::Status& status) {
  if (absl::Status undone = transaction.Undo(); !undone.ok()) {
    // What is left is ours to delete, and is not tried again by itself.
    record.phase = Phase::kDeleting;
    const absl::Status kept = Put(record);
    return WithMore(status,
                    absl::StrFormat("and it could not be taken back: %s; delete the VLAN of storage %s%s%s", undone.message(),
                                    record.vlan.storage_id, kept.ok() ? "" : "; nor could that be kept: ", kept.message()));
  }
  const absl::Status removed = store_.RemoveVlan(record.vlan.storage_id, {});
  if (removed.ok()) return status;
  return WithMore(status, absl::StrFormat("and what was begun is still written down: %s", removed.message()));
}

absl::Status VlanBuilder::Restore(const StorageVlanRecord& before, const StorageVlanRecord& intent, VlanTransaction& transaction,
                                  const absl::Status& status) {
  if (absl::Status undone = transaction.Undo(); !undone.ok()) {
    return WithMore(status, absl::StrFormat("and it could not be taken back: %s", undone.message()));
  }
  StorageVlanRecord record = before;
  if (auto network = network_.Read(); network.ok() && !HasVlan(*network, before.vlan)) {
    record.phase = Phase::kDefined;
    record.made = MadeWithoutLink(before.vlan, before.made, *network);
  }
  if (record == intent) return status;
  const absl::Status kept = Put(record);
  return kept.ok() ? status : WithMore(status, absl::StrFormat("and that could not be kept: %s", kept.message()));
}

void VlanBuilder::ForgetLink(const StorageVlanRecord& record, const NetworkSnapshot& network) {
  StorageVlanRecord without = record;
  without.phase = Phase::kDefined;
  without.made = MadeWithoutLink(record.vlan, record.made, network);
  // When it cannot be kept, the next attempt forgets it.
  if (without != record) (void)Put(without);
}

absl::Status VlanBuilder::Remove(const StorageVlanRecord& record, bool tell, VlanReport& report) {
  const StorageVlan& vlan = record.vlan;
  const auto before = ReadVlanState(network_, isolation_, vlan);
  if (!before.ok()) return before.status();
  report.before = report.after = StateText(vlan, *before);
  if (tell && record.phase != Phase::kDeleting) {
    StorageVlanRecord deleting = record;
    deleting.phase = Phase::kDeleting;
    if (absl::Status status = Put(deleting); !status.ok()) return status;
  }
  const auto steps = PlanRemoval(record, *before);
  VlanTransaction transaction(network_, isolation_, vlan);
  if (absl::Status status = transaction.Apply(steps); !status.ok()) return WithMore(status, "the rest is kept; delete it again");
  const auto after = ReadVlanState(network_, isolation_, vlan);
  if (!after.ok()) return after.status();
  report.after = StateText(vlan, *after);
  if (const auto rest = PlanRemoval(record, *after); !rest.empty()) return VlanNotInPlace(vlan, FindingsText(vlan, rest));
  std::vector<Notice> notices;
  if (tell) notices.push_back(Told(Notice::Kind::kVlanDeleted, vlan));
  if (absl::Status status = store_.RemoveVlan(vlan.storage_id, notices); !status.ok()) return status;
  noticed_ = noticed_ || tell;
  report.outcome = Outcome::kChanged;
  report.message = Joined(StepsText(vlan, steps, /*done=*/true), WhatStays(record, *after));
  return absl::OkStatus();
}

absl::Status VlanBuilder::Put(const StorageVlanRecord& record, const std::vector<Notice>& notices) {
  absl::Status status = store_.PutVlan(record, notices);
  if (status.ok() && !notices.empty()) noticed_ = true;
  return status;
}

Notice VlanBuilder::Told(Notice::Kind kind, const StorageVlan& vlan, std::string_view parent_event_id) const {
  return {.kind = kind,
          .storage_id = vlan.storage_id,
          .parent_event_id = std::string(parent_event_id),
          .time = clock_.SystemNow(),
          .link = vlan.LinkName()};
}

}  // namespace pvebus::storage
