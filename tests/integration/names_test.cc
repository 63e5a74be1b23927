#include <signal.h>

#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/bus_process.h"
#include "tests/support/messages.h"
#include "tests/support/raw_listener.h"

namespace pvebus::testing {
namespace {

using absl::StatusCode;
using std::chrono::milliseconds;

class NamesTest : public ::testing::Test {
 protected:
  bus::v1::Registration Instance(const std::string& instance_id,
                                 bus::v1::ConflictPolicy policy = bus::v1::CONFLICT_POLICY_UNSPECIFIED) {
    auto registration = RegistrationOf("storage-hooks");
    registration.set_instance_id(instance_id);
    registration.set_node("node-" + instance_id);
    registration.set_conflict_policy(policy);
    return registration;
  }

  BusProcess bus_;
};

TEST_F(NamesTest, OfFiftyThatRaceForOneNameOneWinsAndTheOthersLearnWhoHoldsIt) {
  constexpr int kRacers = 50;
  std::vector<std::unique_ptr<RawListener>> racers(kRacers);
  for (auto& racer : racers) racer = std::make_unique<RawListener>(bus_.address());
  std::vector<std::thread> threads;
  for (int i = 0; i < kRacers; ++i) {
    threads.emplace_back([&, i] { racers[i]->Register(Instance("racer-" + std::to_string(i))); });
  }
  for (auto& thread : threads) thread.join();

  WaitFor("49 racers to be refused",
          [&] { return std::count_if(racers.begin(), racers.end(), [](auto& racer) { return racer->ended(); }) == kRacers - 1; });

  std::string winner;
  for (int i = 0; i < kRacers; ++i) {
    if (!racers[i]->ended()) winner = "racer-" + std::to_string(i);
  }
  for (auto& racer : racers) {
    if (!racer->ended()) {
      EXPECT_EQ(racer->WaitRegistered().instance_id(), winner);
      continue;
    }
    const auto status = racer->WaitEnd();
    EXPECT_THAT(status, IsError(StatusCode::kAlreadyExists, "LISTENER_NAME_IN_USE"));
    const std::string message(status.message());
    EXPECT_THAT(message, ::testing::HasSubstr(winner));
    EXPECT_THAT(message, ::testing::HasSubstr("node-" + winner));
    EXPECT_THAT(message, ::testing::HasSubstr("127.0.0.1"));
  }
  EXPECT_EQ(bus_.GetListener("storage-hooks")->instance_id(), winner);
}

TEST_F(NamesTest, AStoppedHolderLosesTheNameWhenItsLeaseEndsAndLearnsIt) {
  Process stopped({ProgramPath("test-listener"), "--bus", bus_.address(), "--name", "storage-hooks", "--instance-id", "stopped",
                   "--lease-ms", "1000", "--ack-after-ms", "100"});
  ASSERT_TRUE(stopped.WaitForLine("registered", kSoon).ok());
  auto registration = Instance("next");
  auto refused = std::make_unique<RawListener>(bus_.address(), registration);
  EXPECT_THAT(refused->WaitEnd(), IsError(StatusCode::kAlreadyExists, "LISTENER_NAME_IN_USE"));
  stopped.Signal(SIGSTOP);
  const auto begin = std::chrono::steady_clock::now();
  const auto event_id = bus_.PublishDurable(CustomEvent("x"));

  WaitFor("the name to be free", [&] { return bus_.HasState("storage-hooks", bus::v1::LISTENER_STATE_LEASE_EXPIRED); });
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(2000));
  RawListener next(bus_.address(), registration);
  EXPECT_EQ(next.WaitRegistered().session_epoch(), 2u);
  const auto delivery = next.NextDelivery();
  EXPECT_EQ(delivery.event().event_id(), event_id);
  stopped.Signal(SIGCONT);

  EXPECT_TRUE(stopped.WaitForLine("confirmation CONFIRMATION_STATUS_STALE_SESSION", kSoon).ok());
  EXPECT_TRUE(stopped.WaitForLine("ended ABORTED LEASE_EXPIRED", kSoon).ok());
  EXPECT_EQ(RowOf(bus_.Result(event_id), "storage-hooks").state(), bus::v1::DELIVERY_STATE_IN_FLIGHT);
  next.Ack(delivery.delivery_id());
  EXPECT_EQ(RowOf(bus_.Result(event_id, bus::v1::WAIT_POLICY_SETTLED), "storage-hooks").state(),
            bus::v1::DELIVERY_STATE_SUCCEEDED);
}

TEST_F(NamesTest, AHolderThatHeartbeatsKeepsTheName) {
  Process holder({ProgramPath("test-listener"), "--bus", bus_.address(), "--name", "storage-hooks", "--lease-ms", "300"});
  ASSERT_TRUE(holder.WaitForLine("registered", kSoon).ok());

  LetPass(milliseconds(1200));

  EXPECT_TRUE(bus_.HasState("storage-hooks", bus::v1::LISTENER_STATE_CONNECTED));
}

TEST_F(NamesTest, TheBusHeartbeatsTooAndASilentListenerIsTold) {
  auto registration = RegistrationOf("silent");
  *registration.mutable_lease_duration() = ProtoDuration(milliseconds(600));
  RawListener listener(bus_.address(), registration);
  listener.WaitRegistered();

  EXPECT_THAT(listener.WaitEnd(milliseconds(1600)), IsError(StatusCode::kAborted, "LEASE_EXPIRED"));
  EXPECT_GE(listener.heartbeats(), 2u);
}

TEST_F(NamesTest, TheSameInstanceTakesOverAtOnceAndTheOldStreamSaysWhy) {
  RawListener old(bus_.address(), Instance("one"));
  old.WaitRegistered();
  bus_.PublishDurable(CustomEvent("x"));
  const auto held = old.NextDelivery();

  RawListener fresh(bus_.address(), Instance("one"));
  const auto registered = fresh.WaitRegistered();

  EXPECT_EQ(registered.session_epoch(), 2u);
  EXPECT_TRUE(registered.resumed());
  EXPECT_EQ(registered.superseded_instance_id(), "one");
  EXPECT_EQ(old.NextConfirmation().status(), bus::v1::CONFIRMATION_STATUS_STALE_SESSION);
  EXPECT_THAT(old.WaitEnd(), IsError(StatusCode::kAborted, "SESSION_SUPERSEDED"));
  const auto again = fresh.NextDelivery();
  EXPECT_EQ(again.event().event_id(), held.event().event_id());
  EXPECT_EQ(again.attempt(), 1u) << "a lost session counts no attempt";
  EXPECT_NE(again.delivery_id(), held.delivery_id());
}

TEST_F(NamesTest, RefuseMeansTheSameInstanceToo) {
  RawListener old(bus_.address(), Instance("one"));
  old.WaitRegistered();

  RawListener refused(bus_.address(), Instance("one", bus::v1::CONFLICT_POLICY_REFUSE));

  EXPECT_THAT(refused.WaitEnd(), IsError(StatusCode::kAlreadyExists, "LISTENER_NAME_IN_USE"));
  EXPECT_FALSE(old.ended());
}

TEST_F(NamesTest, ForceTakesTheNameFromAnyInstance) {
  RawListener old(bus_.address(), Instance("one"));
  old.WaitRegistered();

  RawListener fresh(bus_.address(), Instance("two", bus::v1::CONFLICT_POLICY_TAKEOVER_FORCE));

  EXPECT_EQ(fresh.WaitRegistered().superseded_instance_id(), "one");
  EXPECT_THAT(old.WaitEnd(), IsError(StatusCode::kAborted, "SESSION_SUPERSEDED"));
}

TEST_F(NamesTest, ATakenOverDeliveryCannotBeSettledFromElsewhere) {
  RawListener other(bus_.address(), RegistrationOf("other"));
  other.WaitRegistered();
  RawListener holder(bus_.address(), Instance("one"));
  holder.WaitRegistered();
  const auto event_id = bus_.PublishDurable(CustomEvent("x"));
  const auto delivery = holder.NextDelivery();
  other.Ack(other.NextDelivery().delivery_id());

  other.Ack(delivery.delivery_id());

  EXPECT_EQ(other.NextConfirmation().status(), bus::v1::CONFIRMATION_STATUS_UNKNOWN_DELIVERY);
  EXPECT_EQ(RowOf(bus_.Result(event_id), "storage-hooks").state(), bus::v1::DELIVERY_STATE_IN_FLIGHT);
}

TEST_F(NamesTest, EvictFreesTheNameAndKeepsTheBacklog) {
  RawListener holder(bus_.address(), Instance("one"));
  holder.WaitRegistered();
  const auto event_id = bus_.PublishDurable(CustomEvent("x"));
  holder.NextDelivery();
  bus::v1::EvictListenerRequest request;
  request.set_name("storage-hooks");
  request.set_reason("it misbehaves");

  const auto evicted = Call(&bus::v1::RegistryService::Stub::EvictListener, bus_.registry(), request);

  ASSERT_TRUE(evicted.ok()) << evicted.status();
  EXPECT_EQ(evicted->evicted_instance_id(), "one");
  EXPECT_EQ(evicted->listener().backlog(), 1u);
  const auto end = holder.WaitEnd();
  EXPECT_THAT(end, IsError(StatusCode::kAborted, "LISTENER_EVICTED"));
  EXPECT_THAT(std::string(end.message()), ::testing::HasSubstr("it misbehaves"));
  RawListener next(bus_.address(), Instance("two"));
  EXPECT_EQ(next.NextDelivery().event().event_id(), event_id);
}

TEST_F(NamesTest, AnEphemeralListenerIsForgottenWhenItLeaves) {
  auto registration = RegistrationOf("watcher");
  registration.set_ephemeral(true);
  std::string event_id;
  {
    RawListener watcher(bus_.address(), registration);
    watcher.WaitRegistered();
    event_id = bus_.PublishDurable(CustomEvent("x"));
    watcher.NextDelivery();
  }

  WaitFor("watcher to be forgotten", [&] { return !bus_.GetListener("watcher").ok(); });

  const auto row = RowOf(bus_.Result(event_id), "watcher");
  EXPECT_EQ(row.state(), bus::v1::DELIVERY_STATE_EXPIRED);
  EXPECT_EQ(bus_.Publish(CustomEvent("y"))->result().outcome(), bus::v1::PUBLISH_OUTCOME_NO_LISTENERS);
}

}  // namespace
}  // namespace pvebus::testing
