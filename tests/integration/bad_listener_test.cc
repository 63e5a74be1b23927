// What a listener may get wrong. Nobody else is disturbed by it.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/bus_process.h"
#include "tests/support/messages.h"
#include "tests/support/raw_listener.h"

namespace pvebus::testing {
namespace {

using absl::StatusCode;
using bus::v1::DELIVERY_STATE_SUCCEEDED;
using std::chrono::milliseconds;

// A good listener is there all the time and must not notice.
class BadListenerTest : public ::testing::Test {
 protected:
  BadListenerTest() : good_(bus_.address(), RegistrationOf("good")) { good_.WaitRegistered(); }
  void TearDown() override {
    auto publishing =
        bus_.PublishLater(RequestOf(CustomEvent("still-there"), bus::v1::WAIT_POLICY_FIRST_ATTEMPT, milliseconds(1000)));
    for (;;) {
      const auto delivery = good_.NextDelivery();
      if (delivery.delivery_id() == 0) break;
      good_.Ack(delivery.delivery_id());
      if (delivery.event().custom().name() == "still-there") break;
    }
    const auto response = publishing.get();
    ASSERT_TRUE(response.ok()) << response.status();
    EXPECT_EQ(RowOf(response->result(), "good").state(), DELIVERY_STATE_SUCCEEDED);
  }
  absl::Status EndAfter(const bus::v1::ListenRequest& first) {
    RawListener listener(bus_.address());
    listener.Send(first);
    return listener.WaitEnd();
  }
  absl::Status EndAfter(const bus::v1::Registration& registration) {
    bus::v1::ListenRequest message;
    *message.mutable_registration() = registration;
    return EndAfter(message);
  }

  BusProcess bus_;
  RawListener good_;
};

TEST_F(BadListenerTest, WhoSpeaksBeforeItRegistersIsToldWhatIsExpected) {
  bus::v1::ListenRequest message;
  message.mutable_heartbeat();
  EXPECT_THAT(EndAfter(message), IsError(StatusCode::kInvalidArgument, "REGISTRATION_EXPECTED"));
  message.mutable_settlements()->add_settlements()->mutable_acknowledgement();
  EXPECT_THAT(EndAfter(message), IsError(StatusCode::kInvalidArgument, "REGISTRATION_EXPECTED"));
  message.mutable_drain();
  EXPECT_THAT(EndAfter(message), IsError(StatusCode::kInvalidArgument, "REGISTRATION_EXPECTED"));
  EXPECT_EQ(EndAfter(bus::v1::ListenRequest()).code(), StatusCode::kInvalidArgument);
}

TEST_F(BadListenerTest, WhoClosesBeforeItRegistersIsTold) {
  RawListener listener(bus_.address());

  listener.HalfClose();

  EXPECT_THAT(listener.WaitEnd(), IsError(StatusCode::kInvalidArgument, "REGISTRATION_EXPECTED"));
}

TEST_F(BadListenerTest, ASecondRegistrationEndsTheStream) {
  RawListener listener(bus_.address(), RegistrationOf("twice"));
  listener.WaitRegistered();

  listener.Register(RegistrationOf("twice"));

  EXPECT_THAT(listener.WaitEnd(), IsError(StatusCode::kFailedPrecondition, "ALREADY_REGISTERED"));
}

TEST_F(BadListenerTest, BadNamesAreRefused) {
  for (const std::string name : {"", "Storage", "-a", "1a", "a_b", "a.b", "a b", "..", "ä"}) {
    EXPECT_THAT(EndAfter(RegistrationOf(name)), IsError(StatusCode::kInvalidArgument, "NAME_INVALID")) << name;
  }
  EXPECT_THAT(EndAfter(RegistrationOf(std::string(64, 'a'))), IsError(StatusCode::kInvalidArgument, "NAME_INVALID"));
  RawListener longest(bus_.address(), RegistrationOf(std::string(63, 'a')));
  EXPECT_EQ(longest.WaitRegistered().session_epoch(), 1u);
}

TEST_F(BadListenerTest, BadFiltersAreRefusedAndSayWhere) {
  auto registration = RegistrationOf("filter");
  for (const std::string filter :
       {"subject =", "= x", "subject = \"open", "nonsense = 1", "(subject = a", "subject = a AND", "a b c"}) {
    registration.set_filter(filter);
    const auto end = EndAfter(registration);
    EXPECT_THAT(end, IsError(StatusCode::kInvalidArgument, "FILTER_INVALID")) << filter;
    EXPECT_THAT(std::string(end.message()), ::testing::HasSubstr("character")) << filter;
  }
  registration.set_filter(std::string(2049, 'a'));
  EXPECT_THAT(EndAfter(registration), IsError(StatusCode::kInvalidArgument, "FILTER_INVALID"));
}

TEST_F(BadListenerTest, PolicyBeyondItsLimitsIsRefused) {
  std::vector<bus::v1::Registration> bad(8, RegistrationOf("policy"));
  *bad[0].mutable_lease_duration() = ProtoDuration(milliseconds(199));
  *bad[1].mutable_lease_duration() = ProtoDuration(std::chrono::hours(2));
  bad[2].set_max_in_flight(10'001);
  *bad[3].mutable_delivery_policy()->mutable_ack_deadline() = ProtoDuration(milliseconds(5));
  bad[4].mutable_delivery_policy()->set_max_attempts(1001);
  bad[5].mutable_delivery_policy()->set_backoff_multiplier(11);
  bad[6].set_instance_id(std::string(129, 'i'));
  bad[7].mutable_start_position()->set_earliest(false);
  bad.push_back(RegistrationOf("policy"));
  bad.back().add_event_types(event::v1::EVENT_TYPE_UNSPECIFIED);

  for (const auto& registration : bad) {
    EXPECT_EQ(EndAfter(registration).code(), StatusCode::kInvalidArgument) << registration.ShortDebugString();
  }
}

TEST_F(BadListenerTest, APositionThatIsNotThereYetOrNoLongerIsNamed) {
  auto registration = RegistrationOf("position");
  registration.mutable_start_position()->set_sequence(0);
  const auto end = EndAfter(registration);

  EXPECT_TRUE(end.code() == StatusCode::kOutOfRange || end.code() == StatusCode::kInvalidArgument) << end;
}

TEST_F(BadListenerTest, AFloodOfAnswersForDeliveriesItDoesNotHoldDisturbsNobody) {
  constexpr int kMessages = 100;
  constexpr int kPerMessage = 1000;
  RawListener flood(bus_.address(), RegistrationOf("flood"));
  flood.WaitRegistered();
  const auto event_id = bus_.PublishDurable(CustomEvent("x"));
  const auto held = good_.NextDelivery();

  bus::v1::ListenRequest message;
  for (int i = 0; i < kPerMessage; ++i) {
    auto& settlement = *message.mutable_settlements()->add_settlements();
    settlement.set_delivery_id(held.delivery_id() - kPerMessage / 2 + i);
    settlement.mutable_acknowledgement();
  }
  std::thread sender([&] {
    for (int i = 0; i < kMessages; ++i) flood.Send(message);
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(RowOf(bus_.Result(event_id), "good").state(), bus::v1::DELIVERY_STATE_IN_FLIGHT);
  good_.Ack(held.delivery_id(), true);
  EXPECT_EQ(good_.NextConfirmation().status(), bus::v1::CONFIRMATION_STATUS_ACCEPTED);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
  for (int i = 0; i < kMessages * kPerMessage; ++i) {
    const auto confirmation = flood.NextConfirmation();
    if (confirmation.status() != bus::v1::CONFIRMATION_STATUS_UNKNOWN_DELIVERY &&
        confirmation.status() != bus::v1::CONFIRMATION_STATUS_ALREADY_SETTLED) {
      ADD_FAILURE() << confirmation.ShortDebugString();
      break;
    }
  }
  sender.join();

  EXPECT_FALSE(flood.ended());
}

TEST_F(BadListenerTest, WhoHalfClosesGoesOnReceivingUntilItsLeaseEnds) {
  auto registration = RegistrationOf("half-closed");
  *registration.mutable_lease_duration() = ProtoDuration(milliseconds(800));
  RawListener listener(bus_.address(), registration);
  listener.WaitRegistered();

  listener.HalfClose();
  const auto event_id = bus_.PublishDurable(CustomEvent("x"));

  EXPECT_EQ(listener.NextDelivery().event().event_id(), event_id);
  EXPECT_THAT(listener.WaitEnd(), IsError(StatusCode::kAborted, "LEASE_EXPIRED"));
}

TEST_F(BadListenerTest, AnAnswerWithoutAnOutcomeOrWithAnUndefinedOneIsRefused) {
  RawListener listener(bus_.address(), RegistrationOf("odd"));
  listener.WaitRegistered();
  bus_.PublishDurable(CustomEvent("x"));
  bus::v1::ListenRequest message;
  message.mutable_settlements()->add_settlements()->set_delivery_id(listener.NextDelivery().delivery_id());

  listener.Send(message);

  EXPECT_EQ(listener.WaitEnd().code(), StatusCode::kInvalidArgument);
}

TEST_F(BadListenerTest, AnErrorLongerThanItsLimitIsCut) {
  RawListener listener(bus_.address(), RegistrationOf("verbose"));
  listener.WaitRegistered();
  const auto event_id = bus_.PublishDurable(CustomEvent("x"));

  listener.Reject(listener.NextDelivery().delivery_id(),
                  RejectionOf(bus::v1::REJECT_MODE_DEAD_LETTER, 13, "LONG", std::string(100'000, 'x')), true);

  EXPECT_EQ(listener.NextConfirmation().status(), bus::v1::CONFIRMATION_STATUS_ACCEPTED);
  const auto row = RowOf(bus_.Result(event_id), "verbose");
  EXPECT_EQ(row.error().reason(), "LONG");
  EXPECT_LE(row.error().message().size(), 4096u);
  EXPECT_GT(row.error().message().size(), 4000u);
}

TEST_F(BadListenerTest, ManyThatComeAndGoLeaveNothingBehind) {
  const int threads = bus_.process().ThreadCount();

  for (int round = 0; round < 100; ++round) {
    auto registration = RegistrationOf("fickle");
    registration.set_ephemeral(true);
    registration.set_conflict_policy(bus::v1::CONFLICT_POLICY_TAKEOVER_FORCE);
    RawListener listener(bus_.address(), registration);
    if (round % 2 == 0) listener.WaitRegistered();
  }

  WaitFor("the last of them to be forgotten", [&] { return !bus_.GetListener("fickle").ok(); });
  EXPECT_LE(bus_.process().ThreadCount(), threads + 2);
}

}  // namespace
}  // namespace pvebus::testing
