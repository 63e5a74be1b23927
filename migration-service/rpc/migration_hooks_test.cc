#include "migration-service/rpc/migration_hooks.h"

#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "migration-service/core/testing_memory_migration_store.h"
#include "migration-service/rpc/phase_event.h"
#include "migration-service/rpc/testing_fake_registry.h"
#include "sdk/base/mutex.h"

namespace pvebus::migration {
namespace {

using hooks::HookOutcome;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LineLogger final : public Logger {
 public:
  void Write(LogLevel, std::string_view line) override { lines_.emplace_back(line); }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  std::vector<std::string> lines_;
};

// What it is told comes of the next table.
class FakeRouteMap final : public RouteMap {
 public:
  RouteMapUpdate Bring(Phase phase, const std::stop_token&) override {
    brought_.push_back(phase);
    return update;
  }
  RouteMapStatus status() const override { return {.path = "/etc/nginx/pvebus.map"}; }
  const std::vector<Phase>& brought() const { return brought_; }

  RouteMapUpdate update{.state = RouteMapUpdate::State::kWritten, .before = "perl-only", .message = "written"};

 private:
  std::vector<Phase> brought_;
};

event::v1::SystemEvent Applied(const std::string& event_id) {
  event::v1::SystemEvent event;
  event.set_event_id(event_id);
  event.mutable_network_applied()->add_changes()->set_target("vmbr0");
  return event;
}

// One of each kind that is none of theirs.
std::vector<event::v1::SystemEvent> Others() {
  std::vector<event::v1::SystemEvent> events(3);
  events[0].mutable_container_started()->set_id(101);
  events[1].mutable_storage_vlan_created()->set_id("nas");
  events[2].mutable_custom()->set_name("backup-finished");
  return events;
}

class MigrationHooksTest : public testing::Test {
 protected:
  HookOutcome Run(const hooks::Hook& hook, const event::v1::SystemEvent& event, bool dry_run = false) {
    bus::v1::Delivery delivery;
    *delivery.mutable_event() = event;
    delivery.set_attempt(1);
    delivery.set_dry_run(dry_run);
    return hook.run(client::EventContext(delivery, nullptr, {}), {});
  }
  hooks::Hook Tracker() {
    return PhaseTracker(*state_, gates_, [this] { ++changes_; });
  }
  HookOutcome Track(const PhaseOrder& order) { return Run(Tracker(), EventOf(order)); }
  HookOutcome Count(const std::string& event_id) { return Run(AppliedCounter(*state_), Applied(event_id)); }
  HookOutcome WriteMap(bool dry_run = false) {
    return Run(RouteMapWriter(*state_, &map_), EventOf({.to = Phase::kRustFull}), dry_run);
  }
  Phase phase() const { return state_->status().phase; }

  MemoryMigrationStore store_;
  std::unique_ptr<MigrationState> state_ = *MigrationState::Load(store_);
  FakeRegistry registry_;
  GateKeeper gates_{{.min_transactions = 1, .quiet_listeners = {"storage-hooks"}}, *state_, registry_.channel()};
  FakeRouteMap map_;
  int changes_ = 0;
};

// The gates are open.
class PhaseTrackerTest : public MigrationHooksTest {
 protected:
  PhaseTrackerTest() {
    registry_.Set("storage-hooks", 0);
    EXPECT_TRUE(*state_->CountTransaction("t1"));
  }
};

TEST_F(PhaseTrackerTest, PhaseOfTheEventIsInForce) {
  const HookOutcome outcome = Track({.to = Phase::kRustReadOnly, .reason = "first step", .event_id = "e1"});

  EXPECT_EQ(outcome.state, bus::v1::HOOK_STATE_CHANGED);
  EXPECT_EQ(outcome.resource, "migration");
  EXPECT_EQ(outcome.before, "perl-only");
  EXPECT_EQ(outcome.after, "rust-read-only");
  EXPECT_EQ(outcome.message, "phase rust-read-only is in force");
  EXPECT_EQ(phase(), Phase::kRustReadOnly);
  EXPECT_EQ(state_->status().last_change->reason, "first step");
  EXPECT_EQ(changes_, 1);
}

TEST_F(PhaseTrackerTest, JumpIsRefusedForGoodAndThePhaseStays) {
  const HookOutcome outcome = Track({.to = Phase::kRustSdn, .event_id = "e1"});

  EXPECT_EQ(outcome.state, bus::v1::HOOK_STATE_FAILED);
  EXPECT_EQ(outcome.refusal, "PHASE_JUMP");
  EXPECT_THAT(outcome.message, HasSubstr("one step forward, to rust-read-only"));
  EXPECT_EQ(outcome.after, "perl-only");
  EXPECT_EQ(phase(), Phase::kPerlOnly);
  EXPECT_EQ(changes_, 0);
}

TEST_F(PhaseTrackerTest, ForcedJumpNeedsAReason) {
  EXPECT_EQ(Track({.to = Phase::kRustSdn, .force = true, .event_id = "e1"}).refusal, "REASON_MISSING");

  const HookOutcome outcome = Track({.to = Phase::kRustSdn, .force = true, .reason = "a new node", .event_id = "e2"});

  EXPECT_EQ(outcome.state, bus::v1::HOOK_STATE_CHANGED) << outcome.message;
  EXPECT_TRUE(state_->status().last_change->forced);
}

TEST_F(PhaseTrackerTest, WhatWasDecidedInAnotherPhaseIsRefusedForGood) {
  const HookOutcome outcome = Track({.to = Phase::kRustReadOnly, .from = Phase::kRustBasicWrite, .event_id = "e1"});

  EXPECT_EQ(outcome.refusal, "PHASE_CHANGED");
  EXPECT_EQ(phase(), Phase::kPerlOnly);
}

TEST_F(PhaseTrackerTest, PhaseThatNobodyKnowsIsRefusedForGood) {
  event::v1::SystemEvent event;
  event.mutable_migration_phase_changed();

  const HookOutcome outcome = Run(Tracker(), event);

  EXPECT_EQ(outcome.state, bus::v1::HOOK_STATE_FAILED);
  EXPECT_EQ(outcome.refusal, "PHASE_INVALID");
}

TEST_F(PhaseTrackerTest, PhaseInForceIsNoChange) {
  const HookOutcome outcome = Track({.to = Phase::kPerlOnly, .event_id = "e1"});

  EXPECT_EQ(outcome.state, bus::v1::HOOK_STATE_UNCHANGED);
  EXPECT_EQ(outcome.message, "phase perl-only was in force already");
  EXPECT_EQ(changes_, 0);
}

TEST_F(PhaseTrackerTest, EventThatComesAgainUndoesNoLaterOne) {
  Track({.to = Phase::kRustReadOnly, .event_id = "e1"});
  Track({.to = Phase::kPerlOnly, .event_id = "e2"});

  const HookOutcome outcome = Track({.to = Phase::kRustReadOnly, .event_id = "e1"});

  EXPECT_EQ(outcome.state, bus::v1::HOOK_STATE_UNCHANGED);
  EXPECT_EQ(outcome.message, "this event had been handled before");
  EXPECT_EQ(phase(), Phase::kPerlOnly);
  EXPECT_EQ(changes_, 2);
}

TEST_F(PhaseTrackerTest, WhatTheDiskRefusesComesAgain) {
  store_.FailNext(absl::ResourceExhaustedError("no room for migration.db"));

  const HookOutcome outcome = Track({.to = Phase::kRustReadOnly, .event_id = "e1"});

  EXPECT_EQ(outcome.state, bus::v1::HOOK_STATE_FAILED);
  EXPECT_EQ(outcome.refusal, "");
  EXPECT_EQ(outcome.message, "no room for migration.db");
  EXPECT_EQ(changes_, 0);
  EXPECT_EQ(Track({.to = Phase::kRustReadOnly, .event_id = "e1"}).state, bus::v1::HOOK_STATE_CHANGED);
}

TEST_F(PhaseTrackerTest, DryRunChangesNothing) {
  const HookOutcome outcome = Run(Tracker(), EventOf({.to = Phase::kRustReadOnly, .event_id = "e1"}), true);

  EXPECT_EQ(outcome.state, bus::v1::HOOK_STATE_DRY_RUN);
  EXPECT_EQ(phase(), Phase::kPerlOnly);
  EXPECT_EQ(changes_, 0);
}

TEST_F(MigrationHooksTest, ClosedGatesRefuseForGood) {
  registry_.Set("storage-hooks", 2);

  const HookOutcome outcome = Track({.to = Phase::kRustReadOnly, .event_id = "e1"});

  EXPECT_EQ(outcome.refusal, "GATES_CLOSED");
  EXPECT_THAT(outcome.message, HasSubstr("0 of 1 network transactions"));
  EXPECT_THAT(outcome.message, HasSubstr("2 dead letters"));
  EXPECT_EQ(phase(), Phase::kPerlOnly);
}

TEST_F(MigrationHooksTest, GateThatIsClosedBesideABusThatDoesNotSayRefusesForGood) {
  const HookOutcome outcome = Track({.to = Phase::kRustReadOnly, .event_id = "e1"});

  EXPECT_EQ(outcome.refusal, "GATES_CLOSED");
}

TEST_F(MigrationHooksTest, GatesThatAreClosedOnlyBecauseTheBusDoesNotSayAreTriedAgain) {
  ASSERT_TRUE(*state_->CountTransaction("t1"));
  registry_.Set("storage-hooks", 0);
  registry_.Refuse({grpc::StatusCode::UNAVAILABLE, "going down"});

  const HookOutcome outcome = Track({.to = Phase::kRustReadOnly, .event_id = "e1"});

  EXPECT_EQ(outcome.state, bus::v1::HOOK_STATE_FAILED);
  EXPECT_EQ(outcome.refusal, "");
  EXPECT_THAT(outcome.message, HasSubstr("the bus does not say"));
  registry_.Refuse(grpc::Status::OK);
  EXPECT_EQ(Track({.to = Phase::kRustReadOnly, .event_id = "e1"}).state, bus::v1::HOOK_STATE_CHANGED);
}

TEST_F(MigrationHooksTest, TransactionCountsOnce) {
  const HookOutcome first = Count("t1");
  const HookOutcome again = Count("t1");

  EXPECT_EQ(first.state, bus::v1::HOOK_STATE_CHANGED);
  EXPECT_EQ(first.resource, "network");
  EXPECT_EQ(first.message, "network transaction 1, 1 in the phase perl-only");
  EXPECT_EQ(again.state, bus::v1::HOOK_STATE_UNCHANGED);
  EXPECT_EQ(again.message, "network transaction that was counted before, 1 in all");
  EXPECT_EQ(state_->status().transactions, 1u);
}

TEST_F(MigrationHooksTest, TransactionThatTheDiskRefusesComesAgain) {
  store_.FailNext(absl::ResourceExhaustedError("no room"));

  EXPECT_EQ(Count("t1").state, bus::v1::HOOK_STATE_FAILED);

  EXPECT_EQ(Count("t1").state, bus::v1::HOOK_STATE_CHANGED);
}

TEST_F(MigrationHooksTest, DryRunCountsNothing) {
  EXPECT_EQ(Run(AppliedCounter(*state_), Applied("t1"), true).state, bus::v1::HOOK_STATE_DRY_RUN);

  EXPECT_EQ(state_->status().transactions, 0u);
}

TEST_F(MigrationHooksTest, RouteMapIsBroughtToThePhaseInForceAndNotToTheEventsOne) {
  ASSERT_TRUE(state_->Enter({.to = Phase::kRustReadOnly, .event_id = "e1"}, {}).ok());

  const HookOutcome outcome = WriteMap();

  EXPECT_THAT(map_.brought(), ElementsAre(Phase::kRustReadOnly));
  EXPECT_EQ(outcome.state, bus::v1::HOOK_STATE_CHANGED);
  EXPECT_EQ(outcome.resource, "/etc/nginx/pvebus.map");
  EXPECT_EQ(outcome.before, "perl-only");
  EXPECT_EQ(outcome.after, "rust-read-only");
  EXPECT_EQ(outcome.message, "written");
}

TEST_F(MigrationHooksTest, RouteMapThatWasSoAlreadyIsUnchanged) {
  map_.update.state = RouteMapUpdate::State::kCurrent;

  EXPECT_EQ(WriteMap().state, bus::v1::HOOK_STATE_UNCHANGED);
}

TEST_F(MigrationHooksTest, RouteMapThatFailsIsTriedAgain) {
  map_.update = {.state = RouteMapUpdate::State::kFailed, .before = "perl-only", .message = "nginx -t ended with 1: no"};

  const HookOutcome outcome = WriteMap();

  EXPECT_EQ(outcome.state, bus::v1::HOOK_STATE_FAILED);
  EXPECT_EQ(outcome.refusal, "");
  EXPECT_EQ(outcome.message, "nginx -t ended with 1: no");
  EXPECT_EQ(outcome.after, "perl-only");
}

TEST_F(MigrationHooksTest, RouteMapIsNotTouchedInADryRun) {
  EXPECT_EQ(WriteMap(true).state, bus::v1::HOOK_STATE_DRY_RUN);

  EXPECT_THAT(map_.brought(), IsEmpty());
}

TEST_F(MigrationHooksTest, WithoutARouteMapThereIsNothingToWrite) {
  const HookOutcome outcome = Run(RouteMapWriter(*state_, nullptr), EventOf({.to = Phase::kRustReadOnly}));

  EXPECT_EQ(outcome.state, bus::v1::HOOK_STATE_SKIPPED);
  EXPECT_THAT(outcome.message, HasSubstr("--route-map"));
}

TEST_F(MigrationHooksTest, EachKindOfEventIsForItsHookOnly) {
  const hooks::Hook tracker = Tracker();
  const hooks::Hook counter = AppliedCounter(*state_);
  const hooks::Hook writer = RouteMapWriter(*state_, &map_);
  std::vector<event::v1::SystemEvent> events = Others();
  for (const event::v1::SystemEvent& event : events) {
    for (const auto& hook : {tracker, counter, writer}) {
      EXPECT_EQ(Run(hook, event).state, bus::v1::HOOK_STATE_SKIPPED) << hook.name;
    }
  }
  EXPECT_EQ(Run(tracker, Applied("t1")).state, bus::v1::HOOK_STATE_SKIPPED);
  EXPECT_EQ(Run(writer, Applied("t1")).state, bus::v1::HOOK_STATE_SKIPPED);
  EXPECT_EQ(Run(counter, EventOf({.to = Phase::kRustReadOnly})).state, bus::v1::HOOK_STATE_SKIPPED);
  EXPECT_EQ(state_->status().transactions, 0u);
  EXPECT_EQ(changes_, 0);
  EXPECT_THAT(map_.brought(), IsEmpty());
}

TEST_F(MigrationHooksTest, LoggerHasALineForEveryKindOfEvent) {
  LineLogger logger;
  const hooks::Hook hook = MigrationEventLogger(logger);
  std::vector<event::v1::SystemEvent> events = Others();
  events.push_back(Applied("t1"));
  events.push_back(EventOf({.to = Phase::kRustSdn}));

  for (const event::v1::SystemEvent& event : events) {
    EXPECT_EQ(Run(hook, event).state, bus::v1::HOOK_STATE_UNCHANGED);
    EXPECT_EQ(Run(hook, event, true).state, bus::v1::HOOK_STATE_DRY_RUN);
  }

  ASSERT_EQ(logger.lines().size(), 2 * events.size());
  for (const std::string& line : logger.lines()) EXPECT_THAT(line, HasSubstr("hook=migration-event-logger "));
  EXPECT_THAT(logger.lines().back(), HasSubstr("phase=rust-sdn"));
}

}  // namespace
}  // namespace pvebus::migration
