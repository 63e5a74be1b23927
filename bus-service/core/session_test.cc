#include "bus-service/core/session.h"

#include "bus-service/core/testing/bus_harness.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

using Ids = std::vector<std::string>;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::string EndReason(const ScriptedListener& listener) { return listener.ended ? ErrorReason(*listener.ended) : "(not ended)"; }
absl::StatusCode EndCode(const ScriptedListener& listener) {
  return listener.ended ? listener.ended->code() : absl::StatusCode::kOk;
}

// Lets time pass while the listener sends something every `interval`.
void StayAlive(BusHarness& bus, ScriptedListener& listener, Duration time, Duration interval) {
  for (Duration passed{0}; passed < time; passed += interval) {
    bus.Advance(interval);
    if (listener.session()) listener.Heartbeat();
  }
}

// Turns.

TEST(SessionTest, WhoeverSpeaksBeforeRegisteringIsToldWhatWasExpected) {
  BusHarness bus;
  const std::function<void(ScriptedListener&)> kOutOfTurn[] = {
      [](auto& a) { a.Heartbeat(); },       [](auto& a) { a.Settle(Settlement()); },
      [](auto& a) { a.ExtendDelivery(1); }, [](auto& a) { a.SetWindow(1); },
      [](auto& a) { a.Drain(); },           [](auto& a) { a.HalfClose(); }};

  for (const auto& speak : kOutOfTurn) {
    auto& a = bus.Add("a");
    a.Open();
    speak(a);
    EXPECT_EQ(EndCode(a), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(EndReason(a), "REGISTRATION_EXPECTED");
  }
}

TEST(SessionTest, ASecondRegistrationEndsTheStreamAndFreesTheName) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  a.Register();

  EXPECT_EQ(EndCode(a), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(EndReason(a), "ALREADY_REGISTERED");
  EXPECT_EQ(bus.bus.registry().listeners().at("a").holder, nullptr);
}

TEST(SessionTest, AStreamThatSaysNothingIsEndedAfterTenSeconds) {
  BusHarness bus;
  auto& a = bus.Add("a");
  a.Open();

  bus.Advance(seconds(10) - milliseconds(1));
  EXPECT_FALSE(a.ended);
  bus.Advance(milliseconds(1));

  EXPECT_EQ(EndCode(a), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(EndReason(a), "REGISTRATION_EXPECTED");
}

TEST(SessionTest, AMalformedMessageEndsTheStreamWithItsError) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  a.session()->OnMalformed(absl::InvalidArgumentError("rubbish"));
  bus.Flush();

  EXPECT_EQ(EndCode(a), absl::StatusCode::kInvalidArgument);
}

TEST(SessionTest, TheRegistrationIsAnsweredWithWhatIsInForce) {
  BusHarness bus;
  bus.Publish();
  auto& a = bus.Add("a");
  a.registration.lease = seconds(20);
  a.registration.max_in_flight = 7;
  a.registration.delivery_policy.max_attempts = 3;
  a.Connect();

  ASSERT_EQ(a.registered.size(), 1u);
  const RegisteredFrame& registered = a.registered[0];
  EXPECT_EQ(registered.lease, seconds(20));
  EXPECT_EQ(registered.max_in_flight, 7u);
  EXPECT_EQ(registered.policy.max_attempts, 3u);
  EXPECT_EQ(registered.session_epoch, 1u);
  EXPECT_EQ(registered.next_sequence, 2u);
  EXPECT_EQ(registered.instance_id, "a-1");
  EXPECT_FALSE(registered.resumed);
}

TEST(SessionTest, RegisteredComesBeforeAnyDelivery) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  a.Break();
  bus.Publish();
  a.Open();
  a.session()->OnRegistration(a.registration);

  EXPECT_TRUE(std::holds_alternative<RegisteredFrame>(*a.session()->TakeFrame()));
  EXPECT_TRUE(std::holds_alternative<DeliveriesFrame>(*a.session()->TakeFrame()));
}

// The lease.

TEST(SessionTest, TheLeaseEndsToTheMillisecond) {
  BusHarness bus;
  auto& a = bus.Add("a");
  a.registration.lease = seconds(15);
  a.Connect();

  bus.Advance(seconds(15) - milliseconds(1));
  EXPECT_FALSE(a.ended);
  bus.Advance(milliseconds(1));

  EXPECT_EQ(EndCode(a), absl::StatusCode::kAborted);
  EXPECT_EQ(EndReason(a), "LEASE_EXPIRED");
  EXPECT_EQ(bus.bus.registry().listeners().at("a").State(), ListenerState::kLeaseExpired);
}

TEST(SessionTest, AnythingThatIsHeardRenewsTheLease) {
  BusHarness bus;
  const std::function<void(ScriptedListener&)> kSigns[] = {[](auto& a) { a.Heartbeat(); },
                                                           [](auto& a) { a.Settle(Settlement()); },
                                                           [](auto& a) { a.ExtendDelivery(1); }, [](auto& a) { a.SetWindow(3); }};
  for (const auto& sign : kSigns) {
    auto& a = bus.Add("a");
    a.registration.lease = seconds(15);
    a.Connect();
    bus.Advance(seconds(14));
    sign(a);
    EXPECT_EQ(a.session()->lease_end(), bus.clock.SystemNow() + seconds(15));
    bus.Advance(seconds(15) - milliseconds(1));
    EXPECT_FALSE(a.ended);
    bus.Advance(milliseconds(1));
    EXPECT_EQ(EndReason(a), "LEASE_EXPIRED");
  }
}

TEST(SessionTest, AnExpiredLeaseKeepsTheBacklogAndFreesTheName) {
  BusHarness bus;
  auto& a = bus.Add("a");
  a.registration.lease = seconds(1);
  a.Connect();
  bus.Publish({.id = "x"});
  bus.Advance(seconds(1));
  ASSERT_EQ(EndReason(a), "LEASE_EXPIRED");

  auto& other = bus.Add("a");
  other.registration.instance_id = "other";
  other.Connect();

  EXPECT_FALSE(other.ended);
  EXPECT_EQ(other.Held(), (Ids{"x"}));
  EXPECT_EQ(other.registered[0].session_epoch, 2u);
}

TEST(SessionTest, WhoeverLosesTheNameIsToldThatWhatItHoldsIsStale) {
  BusHarness bus;
  auto& a = bus.Add("a");
  a.registration.lease = seconds(1);
  a.Connect();
  bus.Publish({.id = "x", .key = "x"});
  bus.Publish({.id = "y", .key = "y"});
  bus.Publish({.id = "z", .key = "z"});
  a.Ack("y");
  a.confirmations.clear();
  bus.Advance(seconds(1));

  ASSERT_EQ(a.confirmations.size(), 2u);
  for (const auto& confirmation : a.confirmations) EXPECT_EQ(confirmation.status, ConfirmationStatus::kStaleSession);
  EXPECT_EQ(a.confirmations[0].delivery_id, a.Newest("x").delivery.delivery_id);
  EXPECT_EQ(a.confirmations[1].delivery_id, a.Newest("z").delivery.delivery_id);
}

TEST(SessionTest, AnAnswerThatComesAfterTheEndChangesNothing) {
  BusHarness bus;
  auto& a = bus.Add("a");
  a.registration.lease = seconds(1);
  a.Connect();
  bus.Publish({.id = "x"});
  const uint64_t id = a.Newest("x").delivery.delivery_id;
  a.reading = false;
  bus.Advance(seconds(1));
  ASSERT_TRUE(a.session()->ended());

  a.session()->OnSettlements({a.SettlementFor(id, Settlement::Outcome::kAcknowledge)});
  a.session()->OnHeartbeat();
  a.session()->OnDrain();
  a.session()->OnHalfClose();

  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kOffline);
  EXPECT_FALSE(a.session()->wants_messages());
}

// Heartbeats.

TEST(SessionTest, TheBusSaysSomethingEveryThirdOfTheLeaseWhenItIsSilent) {
  BusHarness bus;
  auto& a = bus.Add("a");
  a.registration.lease = seconds(15);
  a.Connect();
  const SteadyTime begin = bus.clock.SteadyNow();

  StayAlive(bus, a, seconds(31), seconds(1));

  EXPECT_EQ(a.heartbeats, (std::vector<SteadyTime>{begin + seconds(5), begin + seconds(10), begin + seconds(15),
                                                   begin + seconds(20), begin + seconds(25), begin + seconds(30)}));
}

TEST(SessionTest, NoHeartbeatIsSentWhileSomethingElseIs) {
  BusHarness bus;
  auto& a = bus.Add("a");
  a.registration.lease = seconds(15);
  a.Connect();

  for (int i = 0; i < 20; ++i) {
    StayAlive(bus, a, seconds(4), seconds(1));
    bus.Publish({.key = "k" + std::to_string(i), .wait_policy = WaitPolicy::kDurable});
  }

  EXPECT_EQ(a.heartbeats.size(), 0u);
}

TEST(SessionTest, HeartbeatsForAPeerThatDoesNotReadDoNotPileUp) {
  BusHarness bus;
  auto& a = bus.Add("a");
  a.registration.lease = seconds(15);
  a.Connect();
  a.reading = false;
  StayAlive(bus, a, minutes(5), seconds(1));

  a.reading = true;
  bus.Flush();

  EXPECT_EQ(a.heartbeats.size(), 1u);
}

// Confirmations.

TEST(SessionTest, ConfirmationsComeWhenAskedForOrWhenTheAnswerWasNotSimplyAccepted) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});
  bus.Publish({.id = "y"});
  Settlement quiet = a.SettlementFor(a.Newest("x").delivery.delivery_id, Settlement::Outcome::kAcknowledge);
  quiet.confirm = false;

  a.Settle(quiet);
  EXPECT_EQ(a.confirmations.size(), 0u);
  a.Settle(quiet);
  ASSERT_EQ(a.confirmations.size(), 1u);
  EXPECT_EQ(a.confirmations[0].status, ConfirmationStatus::kAlreadySettled);
  a.Ack("y");
  ASSERT_EQ(a.confirmations.size(), 2u);
  EXPECT_EQ(a.confirmations[1].status, ConfirmationStatus::kAccepted);
}

TEST(SessionTest, AConfirmationThatWaitsForAFullDiskDiesWithItsSession) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});
  bus.log.hold_durable = true;
  a.Ack("x");
  a.reading = false;  // its stream goes on as long as the peer does not read
  bus.Advance(a.registration.lease + std::chrono::seconds(1));
  ASSERT_TRUE(a.subscription().session() == nullptr);

  bus.log.CompleteDurables(absl::ResourceExhaustedError("disk full"));
  bus.log.CompleteDurables(absl::OkStatus());

  EXPECT_EQ(bus.State("x", "a"), DeliveryState::kSucceeded);
}

TEST(SessionTest, AnIdOfThisSessionThatWasNeverGivenIsUnknown) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});
  const uint64_t id = a.Newest("x").delivery.delivery_id;

  for (const uint64_t never : {uint64_t{0}, uint64_t{1}, id + 1, id - 1, ~uint64_t{0}}) {
    a.Settle(a.SettlementFor(never, Settlement::Outcome::kAcknowledge));
    EXPECT_EQ(a.confirmations.back().status, ConfirmationStatus::kUnknownDelivery) << never;
  }
}

TEST(SessionTest, AListenerThatDoesNotReadItsConfirmationsIsNotReadFrom) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  a.reading = false;

  for (size_t i = 0; i < kMaxUnsentConfirmations; ++i) {
    ASSERT_TRUE(a.session()->wants_messages());
    a.session()->OnSettlements({Settlement()});
  }
  EXPECT_FALSE(a.session()->wants_messages());

  a.reading = true;
  bus.Flush();
  EXPECT_TRUE(a.session()->wants_messages());
  EXPECT_EQ(a.confirmations.size(), kMaxUnsentConfirmations);
}

}  // namespace
}  // namespace pvebus::bus
