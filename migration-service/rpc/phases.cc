#include "migration-service/rpc/phases.h"

namespace pvebus::migration {

std::optional<Phase> FromProto(event::v1::MigrationPhase phase) {
  switch (phase) {
    case event::v1::MIGRATION_PHASE_PERL_ONLY:
      return Phase::kPerlOnly;
    case event::v1::MIGRATION_PHASE_RUST_READ_ONLY:
      return Phase::kRustReadOnly;
    case event::v1::MIGRATION_PHASE_RUST_BASIC_WRITE:
      return Phase::kRustBasicWrite;
    case event::v1::MIGRATION_PHASE_RUST_ADVANCED:
      return Phase::kRustAdvanced;
    case event::v1::MIGRATION_PHASE_RUST_SDN:
      return Phase::kRustSdn;
    case event::v1::MIGRATION_PHASE_RUST_FULL:
      return Phase::kRustFull;
    default:
      return std::nullopt;
  }
}

event::v1::MigrationPhase ToProto(Phase phase) {
  switch (phase) {
    case Phase::kPerlOnly:
      return event::v1::MIGRATION_PHASE_PERL_ONLY;
    case Phase::kRustReadOnly:
      return event::v1::MIGRATION_PHASE_RUST_READ_ONLY;
    case Phase::kRustBasicWrite:
      return event::v1::MIGRATION_PHASE_RUST_BASIC_WRITE;
    case Phase::kRustAdvanced:
      return event::v1::MIGRATION_PHASE_RUST_ADVANCED;
    case Phase::kRustSdn:
      return event::v1::MIGRATION_PHASE_RUST_SDN;
    case Phase::kRustFull:
      return event::v1::MIGRATION_PHASE_RUST_FULL;
  }
  return event::v1::MIGRATION_PHASE_UNSPECIFIED;
}

}  // namespace pvebus::migration
