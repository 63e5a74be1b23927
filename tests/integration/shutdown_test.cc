// SIGTERM drains: nothing is lost, nothing counts.
#include <signal.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/bus_process.h"
#include "tests/support/messages.h"
#include "tests/support/raw_listener.h"

namespace pvebus::testing {
namespace {

using absl::StatusCode;
using std::chrono::seconds;
using std::chrono::steady_clock;

TEST(ShutdownTest, AnIdleBusEndsAtOnceWithSuccess) {
  BusProcess bus;
  RawListener listener(bus.address(), RegistrationOf("idle"));
  listener.WaitRegistered();

  bus.process().Signal(SIGTERM);

  EXPECT_EQ(bus.process().WaitExit(seconds(20)), 0);
  EXPECT_EQ(listener.WaitEnd().code(), StatusCode::kUnavailable);
}

TEST(ShutdownTest, WhatIsInFlightMayBeAnsweredAndNothingNewBegins) {
  BusProcess bus;
  RawListener listener(bus.address(), RegistrationOf("busy"));
  listener.WaitRegistered();
  auto publishing = bus.PublishLater(RequestOf(CustomEvent("x")));
  const auto delivery = listener.NextDelivery();

  bus.process().Signal(SIGTERM);
  ASSERT_TRUE(listener.WaitDrain());
  const auto refused = bus.Publish(CustomEvent("too-late"));
  RawListener newcomer(bus.address(), RegistrationOf("newcomer"));
  const auto turned_away = newcomer.WaitEnd();
  listener.Ack(delivery.delivery_id());
  const auto response = publishing.get();

  EXPECT_THAT(refused.status(), IsError(StatusCode::kUnavailable, "DRAINING"));
  EXPECT_EQ(turned_away.code(), StatusCode::kUnavailable);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->result().outcome(), bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
  EXPECT_THAT(listener.WaitEnd(), IsError(StatusCode::kUnavailable, "DRAINING"));
  EXPECT_EQ(bus.process().WaitExit(seconds(20)), 0);
}

TEST(ShutdownTest, AListenerThatNeverAnswersCannotHoldTheBus) {
  BusProcess bus({"--drain-grace", "1"});
  RawListener hangs(bus.address(), RegistrationOf("hangs"));
  hangs.WaitRegistered();
  RawListener never_reads(bus.address(), RegistrationOf("never-reads"), RawListener::Reading::kNever);
  WaitFor("never-reads to be registered", [&] { return bus.HasState("never-reads", bus::v1::LISTENER_STATE_CONNECTED); });
  auto publishing = bus.PublishLater(RequestOf(CustomEvent("x"), bus::v1::WAIT_POLICY_SETTLED, seconds(30)));
  hangs.NextDelivery();
  const auto begin = steady_clock::now();

  bus.process().Signal(SIGTERM);

  EXPECT_EQ(bus.process().WaitExit(seconds(10)), 0);
  EXPECT_GE(steady_clock::now() - begin, std::chrono::milliseconds(900));
  EXPECT_LT(steady_clock::now() - begin, seconds(6));
  const auto response = publishing.get();
  ASSERT_TRUE(response.ok()) << "the publisher gets what is known: " << response.status();
  EXPECT_EQ(RowOf(response->result(), "hangs").attempt(), 0u) << "no attempt is counted";
  EXPECT_NE(RowOf(response->result(), "hangs").state(), bus::v1::DELIVERY_STATE_DEAD_LETTERED);
}

TEST(ShutdownTest, ASecondSignalDoesNotHurt) {
  BusProcess bus({"--drain-grace", "1"});
  RawListener hangs(bus.address(), RegistrationOf("hangs"));
  hangs.WaitRegistered();
  bus.PublishDurable(CustomEvent("x"));
  hangs.NextDelivery();

  bus.process().Signal(SIGTERM);
  ASSERT_TRUE(hangs.WaitDrain());
  bus.process().Signal(SIGTERM);

  const auto code = bus.process().WaitExit(seconds(10));
  EXPECT_TRUE(code == 0 || code == 128 + SIGTERM) << code.value_or(-1);
}

}  // namespace
}  // namespace pvebus::testing
