// How a session ends: by itself, or with the bus.
#include "bus-service/core/session.h"
#include "bus-service/core/testing/bus_harness.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

using Ids = std::vector<std::string>;
using std::chrono::seconds;

std::string EndReason(const ScriptedListener& listener) { return listener.ended ? ErrorReason(*listener.ended) : "(not ended)"; }
absl::StatusCode EndCode(const ScriptedListener& listener) {
  return listener.ended ? listener.ended->code() : absl::StatusCode::kOk;
}

TEST(SessionLeavingTest, ADrainingListenerGetsNothingNewAndItsStreamEndsWhenItHasAnswered) {
  BusHarness bus;
  auto& a = bus.Connect("a", 2);
  for (const char* id : {"x", "y", "z"}) bus.Publish({.id = id, .key = id});
  ASSERT_EQ(a.Held(), (Ids{"x", "y"}));

  a.Drain();
  EXPECT_EQ(bus.bus.registry().listeners().at("a").State(), ListenerState::kDraining);
  a.Ack("x");
  EXPECT_FALSE(a.ended);
  EXPECT_EQ(a.Times("z"), 0);
  a.Ack("y");

  ASSERT_TRUE(a.ended);
  EXPECT_TRUE(a.ended->ok());
  EXPECT_EQ(a.confirmations.size(), 2u) << "the last confirmation is sent before the end";
  EXPECT_EQ(bus.State("z", "a"), DeliveryState::kOffline);
}

TEST(SessionLeavingTest, ADrainWithNothingInFlightEndsAtOnce) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  a.Drain();
  ASSERT_TRUE(a.ended);
  EXPECT_TRUE(a.ended->ok());
}

TEST(SessionLeavingTest, ADrainEndsWhenTheLastDeliveryHasMissedItsDeadline) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});
  a.Drain();

  bus.Advance(seconds(30));

  EXPECT_EQ(bus.Row("x", "a").state, DeliveryState::kRetryScheduled);
  ASSERT_TRUE(a.ended) << "nothing is in flight any more";
  EXPECT_TRUE(a.ended->ok());
}

TEST(SessionLeavingTest, NobodyWaitsForAListenerThatIsLeaving) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x", .key = "x"});
  a.Drain();

  const auto published = bus.Publish({.id = "y", .key = "y"});

  EXPECT_TRUE(published->done()) << "it cannot be answered now";
}

TEST(SessionLeavingTest, AHalfClosedListenerGoesOnReceivingUntilItsLeaseEnds) {
  BusHarness bus;
  auto& a = bus.Add("a");
  a.registration.lease = seconds(15);
  a.Connect();
  a.HalfClose();
  bus.Advance(seconds(10));
  bus.Publish({.id = "x"});

  EXPECT_EQ(a.Held(), (Ids{"x"}));
  bus.Advance(seconds(5));
  EXPECT_EQ(EndReason(a), "LEASE_EXPIRED");
}

TEST(SessionLeavingTest, AHalfCloseAfterADrainEndsTheStream) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});
  a.Drain();
  a.HalfClose();

  ASSERT_TRUE(a.ended);
  EXPECT_TRUE(a.ended->ok());
  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kOffline);
}

TEST(SessionLeavingTest, ABusThatDrainsTellsItsListenersAndTakesTheirAnswers) {
  BusHarness bus;
  auto& a = bus.Connect("a", 1);
  bus.Publish({.id = "x", .key = "x"});
  bus.Publish({.id = "y", .key = "y"});
  bus.bus.StartDrain();
  bus.Flush();

  ASSERT_EQ(a.drains.size(), 1u);
  EXPECT_EQ(a.drains[0].grace, seconds(10));
  EXPECT_FALSE(bus.bus.Drained());
  a.Ack("x");
  EXPECT_EQ(a.Times("y"), 0);
  EXPECT_TRUE(bus.bus.Drained());
  EXPECT_FALSE(a.ended) << "the bus ends its sessions itself";
  bus.bus.EndAll();
  bus.Flush();
  EXPECT_EQ(EndReason(a), "DRAINING");
  EXPECT_EQ(EndCode(a), absl::StatusCode::kUnavailable);
}

TEST(SessionLeavingTest, ABusThatDrainsLetsInWhoeverOpensAStreamOnlyToSayNo) {
  BusHarness bus;
  bus.bus.StartDrain();
  auto& a = bus.Add("a");
  a.Open();
  EXPECT_EQ(EndReason(a), "DRAINING");
}

TEST(SessionLeavingTest, ADrainOfTheBusDeadLettersNothingHoweverListenersLeave) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});
  for (int i = 0; i < 2; ++i) {
    a.Break();
    a.Connect();
  }
  bus.bus.StartDrain();

  a.Break();

  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kOffline);
}

}  // namespace
}  // namespace pvebus::bus
