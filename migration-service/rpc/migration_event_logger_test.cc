#include "migration-service/rpc/migration_event_logger.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "migration-service/core/testing_memory_migration_store.h"

namespace pvebus::migration {
namespace {

using ::testing::HasSubstr;

class MigrationEventLoggerTest : public testing::Test {
 protected:
  hooks::HookOutcome Run(const event::v1::SystemEvent& event, bool dry_run = false) {
    bus::v1::Delivery delivery;
    *delivery.mutable_event() = event;
    delivery.set_dry_run(dry_run);
    return MigrationEventLogger(logger_, *state_, chain_).run(client::EventContext(delivery, nullptr, {}), {});
  }

  static event::v1::SystemEvent PhaseChanged(const std::string& id, event::v1::MigrationPhase phase) {
    event::v1::SystemEvent event;
    event.set_event_id(id);
    event.mutable_publish_time()->set_seconds(1'700'000'000);
    event.mutable_migration_phase_changed()->set_phase(phase);
    return event;
  }
  static event::v1::SystemEvent NetworkApplied(const std::string& id) {
    event::v1::SystemEvent event;
    event.set_event_id(id);
    event.mutable_network_applied()->add_changes()->set_target("vmbr0");
    return event;
  }

  NullLogger logger_;
  MemoryMigrationStore store_;
  std::unique_ptr<MigrationState> state_ = *MigrationState::Load(store_);
  RealClock clock_;
  hooks::HookChain chain_{{}, clock_};
};

TEST_F(MigrationEventLoggerTest, PhaseChangeIsFollowedWithBeforeAndAfter) {
  const hooks::HookOutcome outcome = Run(PhaseChanged("e1", event::v1::MIGRATION_PHASE_RUST_SDN));

  EXPECT_EQ(outcome.state, bus::v1::HOOK_STATE_CHANGED);
  EXPECT_EQ(outcome.resource, "migration");
  EXPECT_EQ(outcome.before, "perl-only");
  EXPECT_EQ(outcome.after, "rust-sdn");
  EXPECT_EQ(state_->status().phase, Phase::kRustSdn);
  EXPECT_EQ(state_->status().last_change->time, SystemTime(std::chrono::seconds(1'700'000'000)));
}

TEST_F(MigrationEventLoggerTest, SamePhaseAgainIsUnchanged) {
  Run(PhaseChanged("e1", event::v1::MIGRATION_PHASE_RUST_SDN));

  EXPECT_EQ(Run(PhaseChanged("e2", event::v1::MIGRATION_PHASE_RUST_SDN)).state, bus::v1::HOOK_STATE_UNCHANGED);
  EXPECT_EQ(state_->status().last_change->event_id, "e1");
}

TEST_F(MigrationEventLoggerTest, PhaseThatComesAgainDoesNotUndoALaterOne) {
  Run(PhaseChanged("e1", event::v1::MIGRATION_PHASE_RUST_SDN));
  Run(PhaseChanged("e2", event::v1::MIGRATION_PHASE_PERL_ONLY));

  const hooks::HookOutcome outcome = Run(PhaseChanged("e1", event::v1::MIGRATION_PHASE_RUST_SDN));

  EXPECT_EQ(outcome.state, bus::v1::HOOK_STATE_UNCHANGED);
  EXPECT_THAT(outcome.message, HasSubstr("handled before"));
  EXPECT_EQ(state_->status().phase, Phase::kPerlOnly);
}

TEST_F(MigrationEventLoggerTest, WhatCannotBeKeptIsFailedAndDoneWhenItComesAgain) {
  store_.FailNext(absl::ResourceExhaustedError("no room"), 0, 2);

  const hooks::HookOutcome phase = Run(PhaseChanged("e1", event::v1::MIGRATION_PHASE_RUST_SDN));
  const hooks::HookOutcome transaction = Run(NetworkApplied("e2"));

  EXPECT_EQ(phase.state, bus::v1::HOOK_STATE_FAILED);
  EXPECT_EQ(phase.message, "no room");
  EXPECT_EQ(transaction.state, bus::v1::HOOK_STATE_FAILED);
  EXPECT_EQ(Run(PhaseChanged("e1", event::v1::MIGRATION_PHASE_RUST_SDN)).after, "rust-sdn");
  EXPECT_THAT(Run(NetworkApplied("e2")).message, HasSubstr("network transaction 1"));
}

TEST_F(MigrationEventLoggerTest, PhaseOfALaterContractIsFailed) {
  const hooks::HookOutcome outcome = Run(PhaseChanged("e1", static_cast<event::v1::MigrationPhase>(77)));

  EXPECT_EQ(outcome.state, bus::v1::HOOK_STATE_FAILED);
  EXPECT_THAT(outcome.message, HasSubstr("77"));
  EXPECT_EQ(state_->status().phase, Phase::kPerlOnly);
}

TEST_F(MigrationEventLoggerTest, NetworkTransactionIsCountedOnce) {
  EXPECT_THAT(Run(NetworkApplied("e1")).message, HasSubstr("network transaction 1"));

  EXPECT_THAT(Run(NetworkApplied("e1")).message, HasSubstr("counted before, 1 in all"));
  EXPECT_EQ(state_->status().transactions, 1u);
}

TEST_F(MigrationEventLoggerTest, DryRunChangesNothing) {
  EXPECT_EQ(Run(NetworkApplied("e1"), true).state, bus::v1::HOOK_STATE_DRY_RUN);
  EXPECT_EQ(Run(PhaseChanged("e2", event::v1::MIGRATION_PHASE_RUST_SDN), true).state, bus::v1::HOOK_STATE_DRY_RUN);

  EXPECT_EQ(state_->status().transactions, 0u);
  EXPECT_EQ(state_->status().phase, Phase::kPerlOnly);
}

}  // namespace
}  // namespace pvebus::migration
