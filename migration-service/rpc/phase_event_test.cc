#include "migration-service/rpc/phase_event.h"

#include "gtest/gtest.h"
#include "migration-service/rpc/phases.h"
#include "sdk/base/error.h"
#include "sdk/client/proto_time.h"

namespace pvebus::migration {
namespace {

const SystemTime kNoon{std::chrono::seconds(1'700'000'000)};

// As the bus hands it on.
absl::StatusOr<PhaseOrder> ThereAndBack(const PhaseOrder& order) {
  event::v1::SystemEvent event = EventOf(order);
  event.set_source("migration-service@pve1");
  *event.mutable_publish_time() = client::ToProto(kNoon);
  return OrderOf(event);
}

TEST(PhaseEventTest, OrderThatWasAnEventIsTheSame) {
  const PhaseOrder order{.to = Phase::kRustReadOnly,
                         .from = Phase::kRustBasicWrite,
                         .force = true,
                         .automatic = true,
                         .reason = "12 of 50 failed",
                         .requested_by = "ipv4:127.0.0.1:4711",
                         .event_id = "e1",
                         .time = kNoon};

  EXPECT_EQ(*ThereAndBack(order), order);
}

TEST(PhaseEventTest, EveryPhaseHasOneInTheContract) {
  for (const Phase phase : kPhases) EXPECT_EQ(ThereAndBack({.to = phase, .from = phase})->to, phase) << PhaseName(phase);
  EXPECT_EQ(FromProto(event::v1::MIGRATION_PHASE_UNSPECIFIED), std::nullopt);
  EXPECT_EQ(FromProto(static_cast<event::v1::MigrationPhase>(7)), std::nullopt);
}

TEST(PhaseEventTest, WhatIsNotSaidIsNoAttribute) {
  const event::v1::SystemEvent event = EventOf({.to = Phase::kRustFull});

  EXPECT_TRUE(event.attributes().empty());
  EXPECT_EQ(event.subject(), "migration");
  EXPECT_EQ(event.migration_phase_changed().phase(), event::v1::MIGRATION_PHASE_RUST_FULL);
}

TEST(PhaseEventTest, EventOfSomebodyElseAsksForThePhaseWhateverIsInForce) {
  event::v1::SystemEvent event;
  event.set_event_id("e1");
  event.set_source("pvebus@pve1");
  event.mutable_migration_phase_changed()->set_phase(event::v1::MIGRATION_PHASE_RUST_SDN);

  const auto order = OrderOf(event);

  ASSERT_TRUE(order.ok()) << order.status();
  EXPECT_EQ(*order, (PhaseOrder{.to = Phase::kRustSdn, .requested_by = "pvebus@pve1", .event_id = "e1"}));
}

TEST(PhaseEventTest, AttributesThatMeanNothingAreNone) {
  event::v1::SystemEvent event = EventOf({.to = Phase::kRustSdn});
  (*event.mutable_attributes())["phase_from"] = "ruby";
  (*event.mutable_attributes())["phase_force"] = "yes";
  (*event.mutable_attributes())["phase_automatic"] = "";

  const auto order = OrderOf(event);

  ASSERT_TRUE(order.ok()) << order.status();
  EXPECT_EQ(order->from, std::nullopt);
  EXPECT_FALSE(order->force);
  EXPECT_FALSE(order->automatic);
}

TEST(PhaseEventTest, TextsAreCutToWhatTheBusTakes) {
  PhaseOrder wanted{.to = Phase::kRustSdn, .requested_by = "\xff is me"};
  wanted.reason.assign(2000, 'r');

  const auto order = ThereAndBack(wanted);

  ASSERT_TRUE(order.ok()) << order.status();
  EXPECT_EQ(order->reason, std::string(1024, 'r'));
  EXPECT_EQ(order->requested_by, "? is me");
}

TEST(PhaseEventTest, PhaseThatThisServiceDoesNotKnowIsRefused) {
  event::v1::SystemEvent event;
  for (const int phase : {0, 7, -1}) {
    event.mutable_migration_phase_changed()->set_phase(static_cast<event::v1::MigrationPhase>(phase));

    EXPECT_EQ(ErrorReason(OrderOf(event).status()), "PHASE_INVALID") << phase;
  }
}

}  // namespace
}  // namespace pvebus::migration
