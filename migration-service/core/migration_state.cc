#include "migration-service/core/migration_state.h"

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

MigrationState::PhaseChange MigrationState::EnterPhase(Phase phase, std::string_view event_id, SystemTime time) {
  MutexLock lock(mu_);
  const Phase before = status_.phase;
  if (!events_.Insert(event_id)) return {before, before, /*repeated=*/true};
  status_.phase = phase;
  status_.phase_time = time;
  status_.phase_event_id = event_id;
  return {before, phase};
}

MigrationState::Transaction MigrationState::CountTransaction(std::string_view event_id) {
  MutexLock lock(mu_);
  if (!events_.Insert(event_id)) return {status_.transaction_count, /*repeated=*/true};
  status_.last_transaction_event_id = event_id;
  return {++status_.transaction_count};
}

MigrationState::Status MigrationState::status() const {
  MutexLock lock(mu_);
  return status_;
}

}  // namespace pvebus::migration
