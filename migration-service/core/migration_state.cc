#include "migration-service/core/migration_state.h"

#include <utility>

namespace pvebus::migration {

std::string_view PhaseName(Phase phase) {
  switch (phase) {
    case Phase::kPerlOnly:
      return "perl-only";
    case Phase::kRustReadOnly:
      return "rust-read-only";
    case Phase::kRustBasicWrite:
      return "rust-basic-write";
    case Phase::kRustAdvanced:
      return "rust-advanced";
    case Phase::kRustSdn:
      return "rust-sdn";
    case Phase::kRustFull:
      return "rust-full";
  }
  return "unknown";
}

std::optional<Phase> PhaseOfName(std::string_view name) {
  for (const Phase phase : {Phase::kPerlOnly, Phase::kRustReadOnly, Phase::kRustBasicWrite, Phase::kRustAdvanced, Phase::kRustSdn,
                            Phase::kRustFull}) {
    if (PhaseName(phase) == name) return phase;
  }
  return std::nullopt;
}

MigrationState::PhaseChange MigrationState::EnterPhase(Phase phase, std::string_view event_id, SystemTime time,
                                                       bool counted_before) {
  MutexLock lock(mu_);
  const Phase before = status_.phase;
  if (counted_before || !events_.Insert(event_id)) return {before, before, /*repeated=*/true};
  status_.phase = phase;
  status_.phase_time = time;
  status_.phase_event_id = event_id;
  ++status_.phase_changes;
  return {before, phase};
}

MigrationState::Transaction MigrationState::CountTransaction(std::string_view event_id, bool counted_before) {
  MutexLock lock(mu_);
  if (counted_before || !events_.Insert(event_id)) return {status_.transaction_count, /*repeated=*/true};
  status_.last_transaction_event_id = event_id;
  return {++status_.transaction_count};
}

void MigrationState::Restore(Status status) {
  MutexLock lock(mu_);
  status_ = std::move(status);
}

MigrationState::Status MigrationState::status() const {
  MutexLock lock(mu_);
  return status_;
}

}  // namespace pvebus::migration
