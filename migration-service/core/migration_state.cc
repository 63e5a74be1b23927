#include "migration-service/core/migration_state.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "migration-service/core/errors.h"

namespace pvebus::migration {
namespace {

Phase PhaseOf(const MigrationRecord& record) { return record.last_change ? record.last_change->to : kPhases.front(); }

bool IsJump(Phase from, Phase to) { return to > from && PhaseAfter(from) != to; }

bool NeedsForce(Phase from, Phase to, const std::vector<GateVerdict>& gates) {
  return IsJump(from, to) || (to > from && !AllOpen(gates));
}

absl::Status CheckOrder(Phase phase, const PhaseOrder& order, const std::vector<GateVerdict>& gates) {
  if (order.to == phase) return absl::OkStatus();
  if (order.from && *order.from != phase) return PhaseChanged(*order.from, phase);
  if (!NeedsForce(phase, order.to, gates)) return absl::OkStatus();
  if (order.force) return order.reason.empty() ? ReasonMissing(phase, order.to) : absl::OkStatus();
  return IsJump(phase, order.to) ? PhaseJump(phase, order.to) : GatesClosed(order.to, gates);
}

// Requires: CheckOrder.
PhaseChange ChangeBy(const PhaseOrder& order, const std::vector<GateVerdict>& gates, const MigrationRecord& record) {
  return {.number = record.last_change ? record.last_change->number + 1 : 1,
          .from = PhaseOf(record),
          .to = order.to,
          .forced = NeedsForce(PhaseOf(record), order.to, gates),
          .automatic = order.automatic,
          .reason = order.reason,
          .requested_by = order.requested_by,
          .event_id = order.event_id,
          .time = order.time,
          .transactions = record.phase_transactions};
}

}  // namespace

std::string MigrationState::Status::etag() const {
  return absl::StrFormat("%d-%s", last_change ? last_change->number : 0, PhaseName(phase));
}

absl::StatusOr<std::unique_ptr<MigrationState>> MigrationState::Load(MigrationStore& store) {
  auto record = store.Load();
  if (!record.ok()) return record.status();
  return std::unique_ptr<MigrationState>(new MigrationState(store, *std::move(record)));
}

MigrationState::MigrationState(MigrationStore& store, MigrationRecord record) : store_(store), record_(std::move(record)) {}

MigrationState::Status MigrationState::status() const {
  const MigrationRecord now = record();
  return {.phase = PhaseOf(now),
          .last_change = now.last_change,
          .transactions = now.transactions,
          .phase_transactions = now.phase_transactions,
          .last_transaction_event_id = now.last_transaction_event_id,
          .reports = now.reports};
}

absl::Status MigrationState::Check(const PhaseOrder& order, const std::vector<GateVerdict>& gates) const {
  return CheckOrder(PhaseOf(record()), order, gates);
}

absl::StatusOr<MigrationState::Entered> MigrationState::Enter(const PhaseOrder& order, const std::vector<GateVerdict>& gates) {
  MutexLock changing(changing_);
  if (absl::Status status = CatchUp(); !status.ok()) return status;
  const auto before = store_.ChangeOf(order.event_id);
  if (!before.ok()) return before.status();
  if (before->has_value()) return Entered::kRepeated;
  const MigrationRecord now = record();
  if (absl::Status status = CheckOrder(PhaseOf(now), order, gates); !status.ok()) return status;
  if (order.to == PhaseOf(now)) return Entered::kUnchanged;

  const PhaseChange change = ChangeBy(order, gates, now);
  if (absl::Status status = store_.PutChange(change); !status.ok()) {
    unsure_ = true;
    return status;
  }
  MutexLock lock(mu_);
  record_.last_change = change;
  record_.phase_transactions = 0;
  record_.reports = {};
  reports_changed_ = false;
  return Entered::kChanged;
}

absl::StatusOr<bool> MigrationState::CountTransaction(const std::string& event_id) {
  MutexLock changing(changing_);
  if (absl::Status status = CatchUp(); !status.ok()) return status;
  const auto counted = store_.CountTransaction(event_id);
  if (!counted.ok()) {
    unsure_ = true;
    return counted.status();
  }
  if (!*counted) return false;
  MutexLock lock(mu_);
  ++record_.transactions;
  ++record_.phase_transactions;
  record_.last_transaction_event_id = event_id;
  return true;
}

void MigrationState::Report(bool failed) {
  MutexLock lock(mu_);
  ++record_.reports.reports;
  if (failed) ++record_.reports.failures;
  reports_changed_ = true;
}

absl::Status MigrationState::KeepReports() {
  MutexLock changing(changing_);
  if (absl::Status status = CatchUp(); !status.ok()) return status;
  ReportCounts reports;
  {
    MutexLock lock(mu_);
    if (!reports_changed_) return absl::OkStatus();
    reports = record_.reports;
    reports_changed_ = false;
  }
  absl::Status status = store_.PutReports(reports);
  if (status.ok()) return status;
  MutexLock lock(mu_);
  reports_changed_ = true;
  return status;
}

absl::Status MigrationState::CatchUp() {
  if (!unsure_) return absl::OkStatus();
  auto kept = store_.Load();
  if (!kept.ok()) return kept.status();
  unsure_ = false;
  MutexLock lock(mu_);
  // Those of this phase that were not written down yet are only here.
  if (kept->last_change == record_.last_change) {
    kept->reports = record_.reports;
  } else {
    reports_changed_ = false;
  }
  record_ = *std::move(kept);
  return absl::OkStatus();
}

MigrationRecord MigrationState::record() const {
  MutexLock lock(mu_);
  return record_;
}

}  // namespace pvebus::migration
