// Events that are published while an event is being handled.
#include "bus-service/core/bus.h"
#include "bus-service/core/testing/bus_harness.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

using Ids = std::vector<std::string>;
using std::chrono::seconds;

TEST(BusNestedTest, AnUnknownParentIsRefused) {
  BusHarness bus;
  const auto published = bus.Publish({.parent = "nobody"});
  EXPECT_EQ(published->status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(published->status), "PARENT_UNKNOWN");
  EXPECT_EQ(ErrorReason(bus.Publish({.id = "self", .parent = "self"})->status), "PARENT_UNKNOWN");
}

TEST(BusNestedTest, AChainHasAtMostEightHops) {
  BusHarness bus;
  bus.Publish({.id = "hop0"});
  for (int hop = 1; hop <= 8; ++hop) {
    ASSERT_TRUE(bus.Publish({.id = "hop" + std::to_string(hop), .parent = "hop" + std::to_string(hop - 1)})->status.ok()) << hop;
    EXPECT_EQ(bus.bus.ledger().FindByEventId("hop" + std::to_string(hop))->event->hop_count, static_cast<uint32_t>(hop));
  }
  const auto refused = bus.Publish({.id = "hop9", .parent = "hop8"});

  EXPECT_EQ(refused->status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(refused->status), "HOP_LIMIT_EXCEEDED");
  EXPECT_EQ(bus.bus.ledger().last_sequence(), 9u) << "nothing was stored";
}

TEST(BusNestedTest, AListenerThatPublishesWhileItHandlesDoesNotWaitForItself) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  auto& b = bus.Connect("b");
  const auto outer = bus.Publish({.id = "outer", .key = "x"});
  b.Ack("outer");

  const auto inner = bus.Publish({.id = "inner", .key = "y", .parent = "outer", .wait_policy = WaitPolicy::kFirstAttempt});
  EXPECT_FALSE(inner->done()) << "b is asked";
  b.Ack("inner");

  ASSERT_TRUE(inner->done());
  EXPECT_EQ(inner->At("a").state, DeliveryState::kDeferred);
  EXPECT_EQ(inner->At("a").reason, "BUSY_WITH_ANCESTOR");
  EXPECT_EQ(inner->At("b").state, DeliveryState::kSucceeded);
  EXPECT_EQ(a.Held(), (Ids{"outer"}));
  a.Ack("outer");
  EXPECT_TRUE(outer->done());
  EXPECT_EQ(a.Held(), (Ids{"inner"})) << "it is delivered afterwards";
  a.Ack("inner");
  EXPECT_EQ(bus.State("inner", "a"), DeliveryState::kSucceeded);
}

TEST(BusNestedTest, AnEventWithItsAncestorsOrderingKeyDoesNotDeadlockEither) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "outer", .key = "x"});
  const auto inner = bus.Publish({.id = "inner", .key = "x", .parent = "outer"});

  ASSERT_TRUE(inner->done());
  EXPECT_EQ(inner->At("a").state, DeliveryState::kDeferred);
  a.Ack("outer");
  EXPECT_EQ(a.Held(), (Ids{"inner"}));
}

TEST(BusNestedTest, AChainFromAToBToADoesNotDeadlock) {
  for (const std::string key : {"x", "y"}) {
    BusHarness bus;
    auto& a = bus.Add("a");
    a.registration.filter = *Filter::ParseForEvents("subject:a");
    a.Connect();
    auto& b = bus.Add("b");
    b.registration.filter = *Filter::ParseForEvents("subject:b");
    b.Connect();
    const auto first = bus.Publish({.id = "first", .key = "x", .subject = "a"});
    const auto second = bus.Publish({.id = "second", .key = key, .parent = "first", .subject = "b"});
    const auto third = bus.Publish({.id = "third", .key = "x", .parent = "second", .subject = "a"});

    ASSERT_TRUE(third->done()) << "a is busy with first, which b waits for";
    EXPECT_EQ(third->At("a").state, DeliveryState::kDeferred);
    b.Ack("second");
    ASSERT_TRUE(second->done());
    a.Ack("first");
    ASSERT_TRUE(first->done());
    EXPECT_EQ(a.Held(), (Ids{"third"}));
  }
}

TEST(BusNestedTest, ADeferredEventIsDeliveredWhenTheAncestorFails) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "outer", .key = "x"});
  bus.Publish({.id = "inner", .key = "y", .parent = "outer"});

  a.Retry("outer", seconds(60));

  EXPECT_EQ(a.Held(), (Ids{"inner"})) << "a is no longer busy with outer";
}

TEST(BusNestedTest, ADeferredEventIsDeliveredToTheNextSessionWhenTheListenerIsLost) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "outer", .key = "x"});
  bus.Publish({.id = "inner", .key = "y", .parent = "outer"});
  EXPECT_EQ(a.subscription().window().deferred(), 1u);

  a.Break();
  EXPECT_EQ(a.subscription().window().deferred(), 0u);
  a.Connect();

  EXPECT_EQ(a.Held(), (Ids{"outer", "inner"}));
}

TEST(BusNestedTest, AnEventWaitsForItsNearestAncestorAndThenForTheNext) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "one", .key = "1"});
  // two is in flight beside one: it was published by somebody else before a got one again.
  a.Retry("one", seconds(1));
  bus.Publish({.id = "two", .key = "2", .parent = "one"});
  bus.Advance(seconds(1));
  ASSERT_EQ(a.Held(), (Ids{"two", "one"}));

  bus.Publish({.id = "three", .key = "3", .parent = "two"});
  a.Ack("two");
  EXPECT_EQ(bus.State("three", "a"), DeliveryState::kDeferred) << "one is still being handled";
  a.Ack("one");
  EXPECT_EQ(a.Held(), (Ids{"three"}));
}

TEST(BusNestedTest, ARequiredListenerThatIsBusyWithAnAncestorIsNotWaitedFor) {
  BusHarness bus;
  bus.Connect("a");
  bus.Publish({.id = "outer"});
  const auto inner = bus.Publish({.id = "inner", .parent = "outer", .required = {"a"}});

  ASSERT_TRUE(inner->done());
  EXPECT_EQ(inner->At("a").state, DeliveryState::kDeferred);
}

TEST(BusNestedTest, SettledWaitsForTheDeferredDeliveryUntilItsTimeIsOver) {
  BusHarness bus;
  bus.Connect("a");
  bus.Publish({.id = "outer"});
  const auto inner = bus.Publish({.id = "inner", .parent = "outer", .wait_policy = WaitPolicy::kSettled, .wait = seconds(2)});

  EXPECT_FALSE(inner->done());
  bus.Advance(seconds(2));
  ASSERT_TRUE(inner->done());
  EXPECT_EQ(inner->At("a").state, DeliveryState::kDeferred);
}

TEST(BusNestedTest, AListenerThatIsMerelyQueuedWithAnAncestorIsWaitedFor) {
  BusHarness bus;
  auto& a = bus.Connect("a", 1);
  bus.Publish({.id = "other", .key = "x"});
  bus.Publish({.id = "outer", .key = "y"});
  const auto inner = bus.Publish({.id = "inner", .key = "z", .parent = "outer"});

  EXPECT_FALSE(inner->done());
  a.Ack("other");
  a.Ack("outer");
  a.Ack("inner");
  ASSERT_TRUE(inner->done());
  EXPECT_EQ(inner->At("a").state, DeliveryState::kSucceeded);
}

TEST(BusNestedTest, ThePublishersHopCountIsNotBelieved) {
  BusHarness bus;
  PublishCommand command;
  command.event = std::make_shared<Event>();
  command.event->hop_count = 7;
  command.event->ordering_key = "x";
  bus.bus.Publish(std::move(command), [](const absl::StatusOr<PublishReply>& reply) {
    ASSERT_TRUE(reply.ok());
    EXPECT_EQ(reply->publication->event->hop_count, 0u);
  });
}

TEST(BusNestedTest, ADeferredEventOfAListenerThatWentAwayIsCalledOffline) {
  BusHarness bus;
  auto& a = bus.Connect("a", 1);
  bus.Publish({.id = "outer", .key = "x"});
  for (int i = 0; i < 300; ++i) bus.Publish({.key = "k" + std::to_string(i), .wait_policy = WaitPolicy::kDurable});
  bus.Publish({.id = "inner", .key = "y", .parent = "outer", .wait_policy = WaitPolicy::kDurable});
  ASSERT_EQ(bus.State("inner", "a"), DeliveryState::kDeferred) << "and it is not loaded yet";

  a.Break();

  EXPECT_EQ(bus.State("inner", "a"), DeliveryState::kOffline);
}

}  // namespace
}  // namespace pvebus::bus
