#include "bus-service/core/dead_letters.h"

#include "bus-service/core/testing/bus_harness.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

using Ids = std::vector<uint64_t>;
using std::chrono::seconds;

class DeadLettersTest : public testing::Test {
 protected:
  using Redriven = std::shared_ptr<absl::StatusOr<DeadLetters::Redriven>>;
  using Discarded = std::shared_ptr<absl::StatusOr<uint64_t>>;

  DeadLetters& letters() { return bus.bus.dead_letters(); }
  // Events k1, k2, ... of keys of their own that the listener gives up.
  void GiveUp(ScriptedListener& listener, int count) {
    for (int i = 0; i < count; ++i) {
      const std::string id = "k" + std::to_string(++given_up_);
      bus.Publish({.id = id, .key = id, .wait_policy = WaitPolicy::kDurable});
      listener.DeadLetter(id);
    }
  }
  Redriven Redrive(Ids ids = {}, bool validate_only = false) {
    auto outcome = std::make_shared<absl::StatusOr<DeadLetters::Redriven>>(absl::UnavailableError("no answer"));
    letters().Redrive({std::move(ids), {}}, validate_only, [outcome](auto answer) { *outcome = std::move(answer); });
    return outcome;
  }
  Discarded Discard(Ids ids = {}) {
    auto outcome = std::make_shared<absl::StatusOr<uint64_t>>(absl::UnavailableError("no answer"));
    letters().Discard({std::move(ids), {}}, "test", false, [outcome](auto answer) { *outcome = std::move(answer); });
    return outcome;
  }
  // Lets everything that was begun come to its end.
  void Settle() {
    for (int round = 0; round < 20; ++round) {
      bus.log.CompleteLookups();
      bus.Advance(std::chrono::milliseconds(1));
    }
  }
  Ids There() {
    Ids ids;
    bus.log.journal().ReadDeadLetters(0, 1000, SIZE_MAX, [&](auto read) {
      for (const DeadLetter& letter : *read) ids.push_back(letter.id);
    });
    return ids;
  }

  // Of an event at its only listener: the replay of each failed attempt.
  std::vector<std::string> Attempts(Sequence sequence) {
    std::vector<std::string> replays;
    bus.log.journal().ReadDeliveries(sequence, [&](auto read) {
      for (const auto& [listener, delivery] : *read) {
        for (const AttemptRecord& attempt : delivery.attempts) replays.push_back(attempt.replay_id);
      }
    });
    return replays;
  }

  BusHarness bus;

 private:
  int given_up_ = 0;
};

TEST_F(DeadLettersTest, ADiscardThatComesWhileARedriveIsBeingPreparedWaitsAndLeavesWhatTheRedriveHas) {
  auto& a = bus.Connect("a");
  GiveUp(a, 3);
  bus.log.hold_lookups = true;
  const auto redriven = Redrive({1, 2});
  bus.log.CompleteLookups(1);
  const auto all = Discard();
  const auto named = Discard({2});
  bus.log.hold_lookups = false;
  Settle();

  ASSERT_TRUE(redriven->ok()) << redriven->status();
  EXPECT_EQ((*redriven)->count, 2u);
  ASSERT_TRUE(all->ok()) << all->status();
  EXPECT_EQ(**all, 1u);
  EXPECT_EQ(ErrorReason(named->status()), "REDRIVE_RUNNING");
  EXPECT_EQ(There(), (Ids{1, 2}));
  EXPECT_EQ(a.Times("k1"), 2);
  a.AckAll();
  EXPECT_EQ(There(), Ids{});
  EXPECT_EQ(a.subscription().dead_letters(), 0u);
}

TEST_F(DeadLettersTest, ARedriveThatComesWhileADiscardIsBeingPreparedFindsNothingThere) {
  auto& a = bus.Connect("a");
  GiveUp(a, 2);
  bus.log.hold_lookups = true;
  const auto discarded = Discard();
  bus.log.CompleteLookups(1);
  const auto redriven = Redrive();
  bus.log.hold_lookups = false;
  Settle();

  ASSERT_TRUE(discarded->ok()) << discarded->status();
  EXPECT_EQ(**discarded, 2u);
  ASSERT_TRUE(redriven->ok()) << redriven->status();
  EXPECT_EQ((*redriven)->count, 0u);
  EXPECT_EQ(a.Times("k1"), 1) << "what is discarded is not delivered";
  EXPECT_EQ(There(), Ids{});
}

TEST_F(DeadLettersTest, ALetterThatIsGivenUpAgainBelongsToItsRedriveUntilItIsSaved) {
  auto& a = bus.Connect("a");
  GiveUp(a, 1);
  Redrive();
  Settle();
  ASSERT_EQ(a.Times("k1"), 2);
  bus.log.hold_lookups = true;
  a.DeadLetter("k1");  // the letter is being read, to be saved with the new attempt
  const auto during = Discard({1});
  bus.log.CompleteNewestLookup();  // what the discard looks for
  bus.Advance(std::chrono::milliseconds(1));
  bus.log.CompleteLookups();
  const auto after = Discard({1});
  bus.log.hold_lookups = false;
  Settle();

  EXPECT_EQ(ErrorReason(during->status()), "REDRIVE_RUNNING");
  ASSERT_TRUE(after->ok()) << after->status();
  EXPECT_EQ(There(), Ids{}) << "a discarded one does not come back";
  EXPECT_EQ(a.subscription().dead_letters(), 0u);
}

TEST_F(DeadLettersTest, ALetterThatIsGivenUpAgainDoesNotOutliveItsListener) {
  auto& a = bus.Connect("a");
  GiveUp(a, 1);
  Redrive();
  Settle();
  bus.log.hold_lookups = true;
  a.DeadLetter("k1");
  ASSERT_TRUE(bus.bus.registry().Delete("a", true, "").ok());
  bus.log.hold_lookups = false;
  Settle();

  EXPECT_EQ(There(), Ids{});
}

TEST_F(DeadLettersTest, OneIdThatIsNotThereAndNothingIsDone) {
  auto& a = bus.Connect("a");
  GiveUp(a, 2);

  const auto discarded = Discard({1, 2, 99});
  const auto redriven = Redrive({1, 99});
  Settle();

  EXPECT_EQ(ErrorReason(discarded->status()), "DEAD_LETTER_NOT_FOUND");
  EXPECT_NE(discarded->status().message().find("99"), std::string::npos);
  EXPECT_EQ(ErrorReason(redriven->status()), "DEAD_LETTER_NOT_FOUND");
  EXPECT_EQ(There(), (Ids{1, 2}));
  EXPECT_EQ(a.Times("k1"), 1);
  EXPECT_EQ(a.subscription().dead_letters(), 2u);
}

TEST_F(DeadLettersTest, OneThatIsBeingRedrivenAndNothingOfADiscardIsDone) {
  auto& a = bus.Connect("a");
  GiveUp(a, 3);
  const auto redriven = Redrive({2});
  Settle();

  const auto discarded = Discard({1, 2, 3});
  Settle();

  EXPECT_EQ(ErrorReason(discarded->status()), "REDRIVE_RUNNING");
  EXPECT_EQ(There(), (Ids{1, 2, 3}));
}

TEST_F(DeadLettersTest, ARunningRedriveIsNamedWithItsListener) {
  auto& a = bus.Connect("a");
  GiveUp(a, 3);
  const auto first = Redrive({1});
  const auto at_once = Redrive({2});
  Settle();
  const auto later = Redrive({}, true);
  const auto discard = Discard({1});
  Settle();

  ASSERT_TRUE(first->ok()) << first->status();
  for (const absl::Status& refused : {at_once->status(), later->status(), discard->status()}) {
    EXPECT_EQ(ErrorReason(refused), "REDRIVE_RUNNING");
    EXPECT_EQ(ErrorMetadata(refused)["listener"], "a");
    EXPECT_EQ(ErrorMetadata(refused)["redrive_id"], (*first)->redrive_id);
    EXPECT_NE(refused.message().find((*first)->redrive_id), std::string::npos) << refused;
  }
}

TEST_F(DeadLettersTest, ARedriveThatIsDeliveredWhileItIsStillBeingPreparedEnds) {
  auto& a = bus.Connect("a");
  GiveUp(a, 300);  // more than are read at once
  const auto redriven = Redrive();
  for (int round = 0; round < 200; ++round) {
    a.AckAll();
    bus.Advance(std::chrono::microseconds(1));
  }
  Settle();
  a.AckAll();

  ASSERT_TRUE(redriven->ok()) << redriven->status();
  EXPECT_EQ((*redriven)->count, 300u);
  EXPECT_EQ(There(), Ids{});
  EXPECT_FALSE(a.subscription().redriving());
}

TEST_F(DeadLettersTest, EveryAttemptOfARedriveIsAmongThoseOfTheEvent) {
  auto& a = bus.Connect("a");
  GiveUp(a, 1);
  const auto first = Redrive();
  Settle();
  a.DeadLetter("k1");
  Settle();
  EXPECT_EQ(Attempts(1), (std::vector<std::string>{"", (*first)->redrive_id}));
  const auto second = Redrive();
  Settle();
  a.Retry("k1");
  bus.Advance(seconds(5));
  a.Ack("k1");
  Settle();

  EXPECT_EQ(Attempts(1), (std::vector<std::string>{"", (*first)->redrive_id, (*second)->redrive_id}));
  EXPECT_EQ(bus.State("k1", "a"), DeliveryState::kSucceeded);
}

TEST_F(DeadLettersTest, AFailedReplayOfWhatWasSettledIsAmongTheAttemptsAndChangesNoOutcome) {
  bus.limits.max_ledger_bytes = 0;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x", .wait_policy = WaitPolicy::kDurable});
  a.Ack("x");
  Replayer::Command command;
  command.listeners = {"a"};
  command.from.kind = StartPosition::Kind::kEarliest;
  std::string replay_id;
  bus.bus.replayer().Start(command, [&](auto replayed) { replay_id = replayed->replay_id; });
  Settle();
  a.Retry("x");
  bus.Advance(seconds(5));
  a.Skip("x");
  Settle();

  EXPECT_EQ(Attempts(1), (std::vector<std::string>{replay_id, replay_id}));
  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kSucceeded);
  EXPECT_EQ(bus.Row("x", "a").attempt, 1u);
}

TEST_F(DeadLettersTest, ASessionThatIsLostDuringARedriveLeavesTheEventADeadLetter) {
  bus.limits.max_ledger_bytes = 0;
  auto& a = bus.Connect("a");
  GiveUp(a, 1);
  const auto redriven = Redrive();
  Settle();
  ASSERT_FALSE(a.Held().empty());

  a.Break();
  Settle();

  EXPECT_EQ(Attempts(1).front(), "") << "what was tried before is not forgotten";
  EXPECT_EQ(bus.State("k1", "a"), DeliveryState::kDeadLettered);
}

TEST_F(DeadLettersTest, ARedriveOfAnExpiredEventOutlivesTheSession) {
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x", .expires_in = seconds(1), .wait_policy = WaitPolicy::kDurable});
  a.DeadLetter("x");
  bus.Advance(seconds(2));
  const auto redriven = Redrive();
  Settle();

  a.Break();
  Settle();
  EXPECT_TRUE(a.subscription().redriving());
  auto& again = bus.Connect("a");
  Settle();
  again.Ack("x");
  Settle();

  EXPECT_EQ(There(), Ids{}) << "dead letters do not expire";
}

TEST_F(DeadLettersTest, ManyAreDiscardedSomeAtATime) {
  auto& a = bus.Connect("a");
  GiveUp(a, 600);

  const auto discarded = Discard();
  Settle();

  ASSERT_TRUE(discarded->ok()) << discarded->status();
  EXPECT_EQ(**discarded, 600u);
  EXPECT_EQ(There(), Ids{});
  EXPECT_EQ(a.subscription().dead_letters(), 0u);
}

}  // namespace
}  // namespace pvebus::bus
