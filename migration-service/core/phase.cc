#include "migration-service/core/phase.h"

#include <cstddef>

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
  for (const Phase phase : kPhases) {
    if (PhaseName(phase) == name) return phase;
  }
  return std::nullopt;
}

std::optional<Phase> PhaseAfter(Phase phase) {
  const size_t next = static_cast<size_t>(phase) + 1;
  return next < kPhases.size() ? std::optional<Phase>(kPhases[next]) : std::nullopt;
}

std::optional<Phase> PhaseBefore(Phase phase) {
  const auto index = static_cast<size_t>(phase);
  return index > 0 ? std::optional<Phase>(kPhases[index - 1]) : std::nullopt;
}

}  // namespace pvebus::migration
