#include "migration-service/core/migration_state.h"

#include "gtest/gtest.h"

namespace pvebus::migration {
namespace {

constexpr SystemTime kNoon{std::chrono::seconds(1'700'000'000)};

TEST(MigrationStateTest, BeginsWithPerlOnlyAndNothingCounted) {
  const MigrationState::Status status = MigrationState().status();

  EXPECT_EQ(status.phase, Phase::kPerlOnly);
  EXPECT_FALSE(status.phase_time.has_value());
  EXPECT_EQ(status.phase_event_id, "");
  EXPECT_EQ(status.transaction_count, 0u);
  EXPECT_EQ(status.last_transaction_event_id, "");
}

TEST(MigrationStateTest, PhaseIsThatOfTheLastChange) {
  MigrationState state;
  state.EnterPhase(Phase::kRustReadOnly, "e1", kNoon, false);

  const MigrationState::PhaseChange change = state.EnterPhase(Phase::kRustSdn, "e2", kNoon + std::chrono::hours(1), false);

  EXPECT_EQ(change.before, Phase::kRustReadOnly);
  EXPECT_EQ(change.now, Phase::kRustSdn);
  EXPECT_FALSE(change.repeated);
  EXPECT_EQ(state.status().phase, Phase::kRustSdn);
  EXPECT_EQ(state.status().phase_time, kNoon + std::chrono::hours(1));
  EXPECT_EQ(state.status().phase_event_id, "e2");
}

TEST(MigrationStateTest, PhaseThatComesAgainDoesNotUndoALaterOne) {
  MigrationState state;
  state.EnterPhase(Phase::kRustReadOnly, "e1", kNoon, false);
  state.EnterPhase(Phase::kPerlOnly, "e2", kNoon, false);

  const MigrationState::PhaseChange again = state.EnterPhase(Phase::kRustReadOnly, "e1", kNoon, false);

  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.now, Phase::kPerlOnly);
  EXPECT_EQ(state.status().phase, Phase::kPerlOnly);
  EXPECT_EQ(state.status().phase_event_id, "e2");
}

TEST(MigrationStateTest, RedeliveredTransactionIsCountedOnce) {
  MigrationState state;
  EXPECT_EQ(state.CountTransaction("e1", false).count, 1u);
  EXPECT_EQ(state.CountTransaction("e2", false).count, 2u);

  const MigrationState::Transaction again = state.CountTransaction("e1", false);

  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.count, 2u);
  EXPECT_EQ(state.status().transaction_count, 2u);
  EXPECT_EQ(state.status().last_transaction_event_id, "e2");
}

TEST(MigrationStateTest, EventsAreRememberedInBoundedMemory) {
  MigrationState state(/*remembered_events=*/2);
  for (const char* id : {"e1", "e2", "e3"}) state.CountTransaction(id, false);

  EXPECT_TRUE(state.CountTransaction("e3", false).repeated);
  EXPECT_FALSE(state.CountTransaction("e1", false).repeated);
}

TEST(MigrationStateTest, GoesOnWhereAnEarlierProcessEnded) {
  MigrationState state;
  state.Restore({.phase = Phase::kRustSdn, .phase_event_id = "e1", .phase_changes = 4, .transaction_count = 7});

  EXPECT_TRUE(state.CountTransaction("e2", /*counted_before=*/true).repeated);
  EXPECT_EQ(state.CountTransaction("e3", false).count, 8u);
  EXPECT_TRUE(state.EnterPhase(Phase::kPerlOnly, "e1", kNoon, /*counted_before=*/true).repeated);
  EXPECT_EQ(state.EnterPhase(Phase::kRustFull, "e4", kNoon, false).before, Phase::kRustSdn);
  EXPECT_EQ(state.status().phase_changes, 5u);
}

TEST(MigrationStateTest, EveryPhaseHasItsName) {
  EXPECT_EQ(PhaseOfName("rust-sdn"), Phase::kRustSdn);
  EXPECT_EQ(PhaseOfName("ruby"), std::nullopt);
  EXPECT_EQ(PhaseName(Phase::kPerlOnly), "perl-only");
  EXPECT_EQ(PhaseName(Phase::kRustReadOnly), "rust-read-only");
  EXPECT_EQ(PhaseName(Phase::kRustBasicWrite), "rust-basic-write");
  EXPECT_EQ(PhaseName(Phase::kRustAdvanced), "rust-advanced");
  EXPECT_EQ(PhaseName(Phase::kRustSdn), "rust-sdn");
  EXPECT_EQ(PhaseName(Phase::kRustFull), "rust-full");
}

}  // namespace
}  // namespace pvebus::migration
