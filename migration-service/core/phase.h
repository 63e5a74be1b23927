#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace pvebus::migration {

// How much of the node's network API the new implementation answers. Each one answers what the one before does, and more.
enum class Phase { kPerlOnly, kRustReadOnly, kRustBasicWrite, kRustAdvanced, kRustSdn, kRustFull };

inline constexpr std::array kPhases = {Phase::kPerlOnly,     Phase::kRustReadOnly, Phase::kRustBasicWrite,
                                       Phase::kRustAdvanced, Phase::kRustSdn,      Phase::kRustFull};

// "perl-only", ...
std::string_view PhaseName(Phase phase);
std::optional<Phase> PhaseOfName(std::string_view name);

// Nothing after the last one, before the first one.
std::optional<Phase> PhaseAfter(Phase phase);
std::optional<Phase> PhaseBefore(Phase phase);

}  // namespace pvebus::migration
