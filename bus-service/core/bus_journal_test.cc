// The bus on a journal that takes its time, or fails.
#include "bus-service/core/bus.h"
#include "bus-service/core/testing/bus_harness.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

using Ids = std::vector<std::string>;
using std::chrono::minutes;
using std::chrono::seconds;

const absl::Status kDiskFull = absl::ResourceExhaustedError("disk full");

TEST(BusJournalTest, NothingIsAnsweredOrSentBeforeTheEventIsDurable) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.log.hold_appends = true;
  const auto published = bus.Publish({.id = "x", .wait_policy = WaitPolicy::kDurable});

  EXPECT_FALSE(published->done());
  EXPECT_EQ(a.received.size(), 0u);
  bus.log.CompleteAppends();
  bus.Flush();

  EXPECT_TRUE(published->done());
  EXPECT_EQ(a.Held(), (Ids{"x"}));
}

TEST(BusJournalTest, OkIsNeverSaidBeforeTheEventIsDurableHoweverShortTheWait) {
  BusHarness bus;
  bus.log.hold_appends = true;
  const auto published = bus.Publish({.id = "x", .wait = seconds(1)});
  const auto result = bus.GetResult("x", WaitPolicy::kSettled, seconds(1));
  bus.Advance(minutes(1));

  EXPECT_FALSE(published->done()) << "neither OK nor not OK would be true";
  EXPECT_FALSE(result->done());
  bus.log.CompleteAppends();
  EXPECT_EQ(published->calls, 1);
  EXPECT_TRUE(published->status.ok());
  EXPECT_EQ(result->calls, 1);
}

TEST(BusJournalTest, WhatCannotBeStoredIsRefusedAndItsSequencesAreGivenOutAgain) {
  BusHarness bus;
  bus.Publish({.id = "before"});
  bus.log.hold_appends = true;
  const auto x = bus.Publish({.id = "x", .request_id = "rx"});
  const auto y = bus.Publish({.id = "y", .parent = "x"});
  const auto again = bus.Publish({.id = "x", .request_id = "rx"});
  bus.log.FailAppends(kDiskFull);

  for (const auto& failed : {x, y, again}) {
    ASSERT_EQ(failed->calls, 1);
    EXPECT_EQ(failed->status.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(ErrorReason(failed->status), "JOURNAL_FULL");
    EXPECT_NE(failed->status.message().find("disk full"), std::string::npos);
  }
  bus.log.hold_appends = false;
  EXPECT_EQ(ErrorReason(bus.GetResult("x")->status), "EVENT_NOT_FOUND");
  const auto next = bus.Publish({.id = "x", .body = "another", .request_id = "rx"});
  EXPECT_EQ(next->sequence, 2u);
  EXPECT_FALSE(next->duplicate);
}

TEST(BusJournalTest, ARepeatedPublishWaitsForTheFirstOnesFsync) {
  BusHarness bus;
  bus.log.hold_appends = true;
  bus.Publish({.id = "x", .wait_policy = WaitPolicy::kDurable});
  const auto again = bus.Publish({.id = "x", .wait_policy = WaitPolicy::kDurable});

  EXPECT_FALSE(again->done());
  bus.log.CompleteAppends();
  ASSERT_TRUE(again->done());
  EXPECT_TRUE(again->duplicate);
}

TEST(BusJournalTest, AListenerThatComesWhileAnEventIsBeingStoredGetsIt) {
  BusHarness bus;
  bus.log.hold_appends = true;
  bus.Publish({.id = "x", .key = "x", .wait_policy = WaitPolicy::kDurable});
  bus.Publish({.id = "y", .key = "y", .wait_policy = WaitPolicy::kDurable});
  auto& a = bus.Connect("a");
  bus.log.CompleteAppends();
  bus.Flush();

  EXPECT_EQ(a.Held(), (Ids{"x", "y"})) << "it was registered when they were journaled: matched, thus delivered";
  a.AckAll();
  EXPECT_EQ(a.subscription().backlog(), 0u);
}

TEST(BusJournalTest, AListenerThatWantsEverythingWhileAnEventIsBeingStoredGetsItOnce) {
  BusHarness bus;
  bus.Publish({.id = "w", .key = "w"});
  bus.log.hold_appends = true;
  bus.Publish({.id = "x", .key = "x", .wait_policy = WaitPolicy::kDurable});
  auto& a = bus.Add("a");
  a.registration.start_position.kind = StartPosition::Kind::kEarliest;
  a.Connect();
  EXPECT_EQ(a.caught_up.size(), 1u);
  EXPECT_EQ(a.caught_up.at(0).sequence, 1u);
  bus.log.CompleteAppends();
  bus.Flush();

  EXPECT_EQ(a.Order(), (Ids{"w", "x"}));
  a.AckAll();
  EXPECT_EQ(a.subscription().backlog(), 0u);
}

TEST(BusJournalTest, AListenerThatIsBehindWhileAnEventIsBeingStoredGetsIt) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  a.Break();
  bus.Publish({.id = "w", .key = "w", .wait_policy = WaitPolicy::kDurable});
  bus.log.hold_appends = true;
  bus.Publish({.id = "x", .key = "x", .wait_policy = WaitPolicy::kDurable});
  a.Connect();
  a.Ack("w");
  bus.log.CompleteAppends();
  bus.Flush();

  EXPECT_EQ(a.Order(), (Ids{"w", "x"}));
  a.AckAll();
  EXPECT_EQ(a.subscription().backlog(), 0u);
}

TEST(BusJournalTest, APositionInTimeAmongEventsThatAreBeingStoredLosesNothing) {
  BusHarness bus;
  bus.log.hold_appends = true;
  bus.Publish({.id = "x", .key = "x", .wait_policy = WaitPolicy::kDurable});
  bus.Advance(seconds(1));
  bus.Publish({.id = "y", .key = "y", .wait_policy = WaitPolicy::kDurable});
  auto& a = bus.Add("a");
  a.registration.start_position.kind = StartPosition::Kind::kTime;
  a.registration.start_position.time = bus.clock.SystemNow();
  a.Connect();
  bus.log.CompleteAppends();
  bus.Flush();

  a.AckAll();
  EXPECT_EQ(a.subscription().backlog(), 0u);
  EXPECT_EQ(a.Times("y"), 1);
}

TEST(BusJournalTest, ASlowReadDeliversEverythingOnceAndInOrder) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  a.Break();
  for (int i = 0; i < 5; ++i) bus.Publish({.key = "k" + std::to_string(i), .wait_policy = WaitPolicy::kDurable});
  bus.log.hold_reads = true;
  a.Connect();
  bus.Publish({.key = "during", .wait_policy = WaitPolicy::kDurable});
  EXPECT_EQ(a.received.size(), 0u);
  while (bus.log.held_reads() > 0) {
    bus.log.CompleteReads();
    bus.Flush();
  }

  EXPECT_EQ(a.Order(), (Ids{"e1", "e2", "e3", "e4", "e5", "e6"}));
  a.AckAll();
  EXPECT_EQ(a.subscription().backlog(), 0u);
}

TEST(BusJournalTest, AReadThatEndsAfterASeekOrADeletionIsForgotten) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  a.Break();
  for (int i = 0; i < 5; ++i) bus.Publish({.key = "k" + std::to_string(i), .wait_policy = WaitPolicy::kDurable});
  bus.log.hold_reads = true;
  a.Connect();
  StartPosition position;
  position.kind = StartPosition::Kind::kSequence;
  position.sequence = 4;
  ASSERT_TRUE(bus.Seek("a", position, false, "").ok());
  while (bus.log.held_reads() > 0) {
    bus.log.CompleteReads();
    bus.Flush();
  }
  EXPECT_EQ(a.Order(), (Ids{"e4", "e5"}));

  position.sequence = 1;
  ASSERT_TRUE(bus.Seek("a", position, false, "").ok());
  ASSERT_TRUE(bus.bus.registry().Delete("a", true, "").ok());
  bus.Flush();
  bus.log.CompleteReads();
  bus.Flush();
  EXPECT_EQ(a.received.size(), 2u);
}

TEST(BusJournalTest, AFailedReadIsTriedAgainALittleLater) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  a.Break();
  bus.Publish({.id = "x", .wait_policy = WaitPolicy::kDurable});
  bus.log.read_status = absl::DataLossError("unreadable");
  a.Connect();
  EXPECT_LT(bus.log.reads(), 5) << "not in a loop";
  bus.log.read_status = absl::OkStatus();

  bus.Advance(seconds(2));

  EXPECT_EQ(a.Held(), (Ids{"x"}));
}

TEST(BusJournalTest, ADrainWaitsForWhatIsBeingStored) {
  BusHarness bus;
  bus.log.hold_appends = true;
  const auto published = bus.Publish({.id = "x", .wait_policy = WaitPolicy::kDurable});
  bus.bus.StartDrain();
  EXPECT_FALSE(bus.bus.Drained());
  bus.log.CompleteAppends();

  EXPECT_TRUE(bus.bus.Drained());
  EXPECT_TRUE(published->status.ok());
}

TEST(BusJournalTest, ABusThatEndsBeforeAnEventIsDurableDoesNotSayOk) {
  BusHarness bus;
  bus.log.hold_appends = true;
  const auto published = bus.Publish({.id = "x", .wait_policy = WaitPolicy::kDurable});
  bus.bus.StartDrain();
  bus.bus.EndAll();

  ASSERT_EQ(published->calls, 1);
  EXPECT_EQ(published->status.code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace pvebus::bus
