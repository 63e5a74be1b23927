#include "migration-service/core/phase.h"

#include "gtest/gtest.h"

namespace pvebus::migration {
namespace {

TEST(PhaseTest, EveryPhaseHasItsName) {
  EXPECT_EQ(PhaseName(Phase::kPerlOnly), "perl-only");
  EXPECT_EQ(PhaseName(Phase::kRustReadOnly), "rust-read-only");
  EXPECT_EQ(PhaseName(Phase::kRustBasicWrite), "rust-basic-write");
  EXPECT_EQ(PhaseName(Phase::kRustAdvanced), "rust-advanced");
  EXPECT_EQ(PhaseName(Phase::kRustSdn), "rust-sdn");
  EXPECT_EQ(PhaseName(Phase::kRustFull), "rust-full");
}

TEST(PhaseTest, PhaseIsFoundByItsWholeNameOnly) {
  for (const Phase phase : kPhases) EXPECT_EQ(PhaseOfName(PhaseName(phase)), phase);
  for (const char* name : {"", "ruby", "rust", "rust-sdn ", "Rust-SDN", "unknown"}) EXPECT_EQ(PhaseOfName(name), std::nullopt);
}

TEST(PhaseTest, NeighboursAreOneStepAway) {
  EXPECT_EQ(PhaseBefore(Phase::kPerlOnly), std::nullopt);
  EXPECT_EQ(PhaseAfter(Phase::kRustFull), std::nullopt);
  for (size_t i = 1; i < kPhases.size(); ++i) {
    EXPECT_EQ(PhaseAfter(kPhases[i - 1]), kPhases[i]);
    EXPECT_EQ(PhaseBefore(kPhases[i]), kPhases[i - 1]);
    EXPECT_LT(kPhases[i - 1], kPhases[i]);
  }
}

}  // namespace
}  // namespace pvebus::migration
