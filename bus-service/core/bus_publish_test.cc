// What Publish refuses, repeats and keeps.
#include "bus-service/core/bus.h"
#include "bus-service/core/testing/bus_harness.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

using Ids = std::vector<std::string>;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::string Reason(const PublishOutcomePtr& outcome) { return outcome->done() ? ErrorReason(outcome->status) : "(not done)"; }

// Identity.

TEST(BusPublishTest, SequencesHaveNoGapAndTimesAscend) {
  BusHarness bus;
  SystemTime last;
  for (Sequence expected = 1; expected <= 10; ++expected) {
    const auto published = bus.Publish({.let_bus_name_it = true});
    EXPECT_EQ(published->sequence, expected);
    const Publication& publication = *bus.bus.ledger().Find(expected);
    EXPECT_GE(publication.event->publish_time, last);
    last = publication.event->publish_time;
    bus.Advance(milliseconds(1));
  }
}

TEST(BusPublishTest, TheBusNamesAnEventThatHasNoId) {
  BusHarness bus;
  const auto first = bus.Publish({.let_bus_name_it = true});
  bus.Advance(milliseconds(1));
  const auto second = bus.Publish({.let_bus_name_it = true});

  EXPECT_EQ(first->event_id.size(), 36u);
  EXPECT_EQ(first->event_id[14], '7') << "UUID version 7";
  EXPECT_NE(std::string("89ab").find(first->event_id[19]), std::string::npos);
  EXPECT_LT(first->event_id, second->event_id);
}

TEST(BusPublishTest, TheSameEventIdAgainIsTheFirstResultAndNoSecondFanOut) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});
  a.Ack("x");

  const auto again = bus.Publish({.id = "x"});

  ASSERT_TRUE(again->done());
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(again->sequence, 1u);
  EXPECT_EQ(again->At("a").state, DeliveryState::kSucceeded);
  EXPECT_EQ(a.Times("x"), 1);
  EXPECT_EQ(bus.bus.ledger().last_sequence(), 1u);
}

TEST(BusPublishTest, TheSameRequestIdAgainIsTheFirstResultThoughTheBusNamedTheEvent) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  const auto first = bus.Publish({.request_id = "r1", .let_bus_name_it = true});
  const auto again = bus.Publish({.request_id = "r1", .let_bus_name_it = true});
  EXPECT_FALSE(first->done());
  a.AckAll();

  ASSERT_TRUE(first->done() && again->done()) << "the second one waits for the same answers";
  EXPECT_EQ(again->event_id, first->event_id);
  EXPECT_FALSE(first->duplicate);
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(a.received.size(), 1u);
}

TEST(BusPublishTest, TheSameIdWithAnotherBodyIsRefused) {
  BusHarness bus;
  bus.Publish({.id = "x", .body = "one", .request_id = "r1"});

  EXPECT_EQ(Reason(bus.Publish({.id = "x", .body = "two"})), "EVENT_ID_CONFLICT");
  EXPECT_EQ(Reason(bus.Publish({.body = "two", .request_id = "r1", .let_bus_name_it = true})), "REQUEST_ID_CONFLICT");
  EXPECT_EQ(Reason(bus.Publish({.id = "y", .body = "one", .request_id = "r1"})), "REQUEST_ID_CONFLICT");
  EXPECT_EQ(bus.Publish({.id = "x", .body = "two"})->status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(bus.bus.ledger().last_sequence(), 1u);
}

TEST(BusPublishTest, AnIdMayBeUsedAgainWhenItsEventHasLeftTheJournal) {
  BusHarness bus;
  bus.log.max_bytes = 2000;
  bus.Publish({.id = "x", .body = "one", .request_id = "r1"});
  for (int i = 0; i < 5; ++i) bus.Publish();
  ASSERT_EQ(Reason(bus.GetResult("x")), "EVENT_NOT_FOUND");

  const auto published = bus.Publish({.id = "x", .body = "two", .request_id = "r1"});

  ASSERT_TRUE(published->status.ok());
  EXPECT_FALSE(published->duplicate);
}

TEST(BusPublishTest, AResultIsFoundByEventIdAndByRequestId) {
  BusHarness bus;
  bus.Publish({.id = "x", .request_id = "r1"});

  int calls = 0;
  bus.bus.GetResult({EventKey::Kind::kRequestId, "r1"}, WaitPolicy::kNone, seconds(1),
                    [&](const absl::StatusOr<PublishReply>& reply) {
                      ++calls;
                      ASSERT_TRUE(reply.ok());
                      EXPECT_EQ(reply->publication->event->event_id, "x");
                    });
  bus.bus.GetResult({EventKey::Kind::kRequestId, "x"}, WaitPolicy::kNone, seconds(1),
                    [&](const absl::StatusOr<PublishReply>& reply) {
                      ++calls;
                      EXPECT_EQ(reply.status().code(), absl::StatusCode::kNotFound);
                    });

  EXPECT_EQ(calls, 2);
  EXPECT_EQ(bus.GetResult("x")->sequence, 1u);
}

// Conditions.

TEST(BusPublishTest, ExpectedLastSequenceStoresOnlyWhenItIsRight) {
  BusHarness bus;
  EXPECT_TRUE(bus.Publish({.expected_last = 0})->status.ok());
  const auto refused = bus.Publish({.expected_last = 0});

  EXPECT_EQ(refused->status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Reason(refused), "SEQUENCE_MISMATCH");
  EXPECT_EQ(ErrorMetadata(refused->status).at("last_sequence"), "1");
  EXPECT_TRUE(bus.Publish({.expected_last = 1})->status.ok());
  EXPECT_EQ(bus.bus.ledger().last_sequence(), 2u);
}

TEST(BusPublishTest, ARepeatedRequestIsNotHeldAgainstItsOwnExpectation) {
  BusHarness bus;
  bus.Publish({.id = "x", .expected_last = 0});
  const auto again = bus.Publish({.id = "x", .expected_last = 0});
  EXPECT_TRUE(again->status.ok());
  EXPECT_TRUE(again->duplicate);
}

TEST(BusPublishTest, AnEventThatHasExpiredAlreadyIsRefused) {
  BusHarness bus;
  EXPECT_EQ(Reason(bus.Publish({.expires_in = seconds(0)})), "FIELD_INVALID");
  EXPECT_EQ(Reason(bus.Publish({.expires_in = seconds(-1)})), "FIELD_INVALID");
  EXPECT_TRUE(bus.Publish({.expires_in = milliseconds(1)})->status.ok());
}

TEST(BusPublishTest, ARequiredListenerMustBeRegisteredAndMatch) {
  BusHarness bus;
  auto& a = bus.Add("a");
  a.registration.filter = *Filter::ParseForEvents("subject = mine");
  a.Connect();

  const auto missing = bus.Publish({.required = {"b"}});
  EXPECT_EQ(missing->status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Reason(missing), "REQUIRED_LISTENER_MISSING");
  EXPECT_EQ(ErrorMetadata(missing->status).at("listener"), "b");
  EXPECT_EQ(Reason(bus.Publish({.subject = "other", .required = {"a"}})), "REQUIRED_LISTENER_MISSING");
  EXPECT_EQ(Reason(bus.Publish({.required = {"No Name"}})), "NAME_INVALID");
  EXPECT_EQ(bus.bus.ledger().last_sequence(), 0u) << "nothing was stored";
  const auto published = bus.Publish({.id = "x", .subject = "mine", .required = {"a"}});
  a.AckAll();
  EXPECT_TRUE(published->At("a").required);
}

TEST(BusPublishTest, ValidateOnlySaysWhoWouldGetItAndStoresNothing) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Connect("away").Break();

  const auto validated = bus.Publish({.id = "x", .request_id = "r1", .validate_only = true});

  ASSERT_TRUE(validated->done() && validated->status.ok());
  EXPECT_EQ(validated->sequence, 0u);
  EXPECT_EQ(validated->At("a").state, DeliveryState::kQueued);
  EXPECT_EQ(validated->At("away").state, DeliveryState::kOffline);
  EXPECT_EQ(a.received.size(), 0u);
  EXPECT_EQ(bus.bus.ledger().last_sequence(), 0u);
  EXPECT_EQ(bus.log.GetStats().event_count, 0u);
  EXPECT_EQ(Reason(bus.GetResult("x")), "EVENT_NOT_FOUND");
  EXPECT_FALSE(bus.Publish({.id = "x", .body = "other", .request_id = "r1"})->duplicate) << "nothing was remembered either";
}

TEST(BusPublishTest, ValidateOnlyMakesTheSameChecks) {
  BusHarness bus;
  EXPECT_EQ(Reason(bus.Publish({.parent = "nobody", .validate_only = true})), "PARENT_UNKNOWN");
  EXPECT_EQ(Reason(bus.Publish({.required = {"b"}, .validate_only = true})), "REQUIRED_LISTENER_MISSING");
  EXPECT_EQ(Reason(bus.Publish({.validate_only = true, .expected_last = 7})), "SEQUENCE_MISMATCH");
}

// Limits.

TEST(BusPublishTest, TooManyWaitingPublishesAreRefusedUntilSomeAreAnswered) {
  BusHarness bus;
  bus.limits.max_waiting_publishes = 3;
  auto& a = bus.Connect("a");
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(bus.Publish({.key = "k" + std::to_string(i)})->done());

  const auto refused = bus.Publish({.id = "refused"});
  EXPECT_EQ(refused->status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Reason(refused), "PUBLISH_BACKPRESSURE");
  EXPECT_TRUE(RetryDelay(refused->status));
  EXPECT_EQ(Reason(bus.GetResult("refused")), "EVENT_NOT_FOUND");
  EXPECT_TRUE(bus.Publish({.key = "durable", .wait_policy = WaitPolicy::kDurable})->status.ok()) << "who does not wait is let in";
  a.Ack("e1");
  EXPECT_FALSE(bus.Publish({.key = "again"})->done());
}

TEST(BusPublishTest, AFullJournalNamesTheSlowestListenerAndTakesEventsAgainAfterAcks) {
  BusHarness bus;
  bus.log.max_bytes = 10 * 600;
  auto& fast = bus.Connect("fast");
  auto& slow = bus.Connect("slow");
  PublishOutcomePtr refused;
  int stored = 0;
  while (!refused && stored < 100) {
    auto published = bus.Publish({.wait_policy = WaitPolicy::kDurable});
    fast.AckAll();
    if (published->status.ok()) {
      ++stored;
    } else {
      refused = published;
    }
  }

  ASSERT_TRUE(refused);
  EXPECT_GT(stored, 5);
  EXPECT_EQ(refused->status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Reason(refused), "JOURNAL_FULL");
  EXPECT_EQ(ErrorMetadata(refused->status).at("listener"), "slow");
  EXPECT_TRUE(RetryDelay(refused->status));

  slow.Ack("e1");
  const auto accepted = bus.Publish({.id = "accepted", .wait_policy = WaitPolicy::kDurable});
  ASSERT_TRUE(accepted->status.ok());
  EXPECT_EQ(accepted->sequence, static_cast<Sequence>(stored) + 1) << "a refusal makes no gap";
  EXPECT_EQ(Reason(bus.GetResult("e1")), "EVENT_NOT_FOUND");
  slow.AckAll();
  fast.AckAll();
  EXPECT_EQ(slow.received.size(), static_cast<size_t>(stored) + 1);
}

TEST(BusPublishTest, AJournalWithoutListenersForgetsItsOldestEvents) {
  BusHarness bus;
  bus.log.max_bytes = 10 * 600;
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(bus.Publish()->status.ok());

  EXPECT_LE(bus.log.GetStats().event_bytes, bus.log.max_bytes);
  EXPECT_EQ(bus.bus.ledger().last_sequence(), 1000u);
  EXPECT_EQ(bus.log.first_sequence(), bus.log.GetStats().first_sequence);
}

TEST(BusPublishTest, AnEventThatSomebodyWaitsForIsNotForgotten) {
  BusHarness bus;
  bus.log.max_bytes = 3 * 600;
  auto& a = bus.Add("a");
  a.registration.ephemeral = true;
  a.Connect();
  const auto waiting = bus.Publish({.id = "x", .key = "x", .wait_policy = WaitPolicy::kSettled});
  PublishOutcomePtr refused;
  for (int i = 0; i < 10; ++i) refused = bus.Publish({.key = "x", .wait_policy = WaitPolicy::kDurable});

  EXPECT_EQ(Reason(refused), "JOURNAL_FULL");
  a.Ack("x");
  EXPECT_TRUE(waiting->done());
}

TEST(BusPublishTest, AListenerWhoseEventsHaveAllExpiredDoesNotHoldTheJournal) {
  BusHarness bus;
  bus.log.max_bytes = 5 * 600;
  auto& a = bus.Connect("a");
  a.Break();
  for (int i = 0; i < 4; ++i) bus.Publish({.expires_in = seconds(1), .wait_policy = WaitPolicy::kDurable});
  bus.Advance(seconds(1));
  ASSERT_EQ(a.subscription().backlog(), 0u);

  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(bus.Publish({.expires_in = seconds(1), .wait_policy = WaitPolicy::kDurable})->status.ok()) << i;
    bus.Advance(seconds(1));
  }
}

TEST(BusPublishTest, AnEventThatHasLeftTheJournalLeavesNoTimerBehind) {
  BusHarness bus;
  bus.log.max_bytes = 2 * 600;
  bus.Publish({.expires_in = hours(24 * 365)});
  ASSERT_NE(bus.bus.NextTimer(), SteadyTime::max());

  for (int i = 0; i < 5; ++i) bus.Publish();

  EXPECT_EQ(bus.bus.NextTimer(), SteadyTime::max());
}

// Drain.

TEST(BusPublishTest, ADrainingBusTakesNoPublishAndEndsWaitsWithWhatItKnows) {
  BusHarness bus;
  bus.Connect("a");
  const auto waiting = bus.Publish({.id = "x"});
  bus.bus.StartDrain();
  bus.Flush();

  EXPECT_EQ(Reason(bus.Publish()), "DRAINING");
  EXPECT_FALSE(waiting->done()) << "the answer may still come";
  bus.bus.EndAll();
  ASSERT_TRUE(waiting->done());
  EXPECT_TRUE(waiting->status.ok()) << "it is stored";
}

TEST(BusPublishTest, ADrainDoesNotWaitForWhatCannotBeAnsweredAnyMore) {
  BusHarness bus;
  auto& a = bus.Connect("a", 1);
  const auto retried = bus.Publish({.id = "x", .key = "x", .wait_policy = WaitPolicy::kSettled});
  a.Retry("x", seconds(60));
  bus.Connect("b").Break();
  const auto offline = bus.Publish({.id = "y", .key = "y", .wait_policy = WaitPolicy::kSettled});
  a.Ack("y");

  bus.bus.StartDrain();

  EXPECT_TRUE(bus.bus.Drained());
}

}  // namespace
}  // namespace pvebus::bus
