// How a listener ends: drained by the bus, stopped, superseded, refused.
#include <thread>

#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "sdk/client/fake_bus.h"
#include "sdk/client/listener.h"
#include "sdk/client/listener_fixture.h"
#include "sdk/client/proto_time.h"
#include "sdk/status/status.h"

namespace pvebus::client {
namespace {

using absl::StatusCode;
using bus::v1::ListenRequest;
using std::chrono::milliseconds;
using std::chrono::seconds;

class ListenerEndTest : public ListenerTest {
 protected:
  grpc::Status Refusal(StatusCode code, const std::string& reason) {
    return ToGrpcStatus(MakeError(code, reason, "says the test"));
  }
  // Stop on a thread of its own, so that the test can play the bus meanwhile.
  std::jthread StopBeside(milliseconds grace) {
    return std::jthread([this, grace] {
      listener_->Stop(grace);
      stopped_.Put(true);
    });
  }

  Mailbox<bool> stopped_;
};

bus::v1::ListenResponse BusDrain() {
  bus::v1::ListenResponse response;
  response.mutable_drain()->set_reason("restart");
  *response.mutable_drain()->mutable_grace() = ToProto(seconds(10));
  return response;
}

TEST_F(ListenerEndTest, WhenTheBusDrainsWhatRunsIsAnsweredAndTheRestReleased) {
  HandleByGate();
  auto first = StartRegistered();
  ASSERT_TRUE(first);
  first->Deliver({MakeDelivery(1, "a"), MakeDelivery(2, "a")});
  WaitBegun(1);

  first->Send(BusDrain());

  const auto released = first->NextSettlement();
  ASSERT_TRUE(released) << "waited for the release";
  EXPECT_EQ(released->delivery_id(), 2u);
  EXPECT_EQ(released->rejection().mode(), bus::v1::REJECT_MODE_RELEASE);
  EXPECT_TRUE(WaitFor(ListenerEvent::kDraining)) << "waited to be told";
  first->Deliver({MakeDelivery(3, "b")});
  const auto crossed = first->NextSettlement();
  ASSERT_TRUE(crossed) << "waited for the release of what crossed the drain";
  EXPECT_EQ(crossed->rejection().mode(), bus::v1::REJECT_MODE_RELEASE);
  LetEnd("e1");
  const auto answered = first->NextSettlement();
  ASSERT_TRUE(answered) << "waited for the answer of what ran";
  EXPECT_TRUE(answered->has_acknowledgement());
  first->End(Refusal(StatusCode::kUnavailable, "DRAINING"));

  auto second = bus_.NextRegisteredStream();
  ASSERT_TRUE(second) << "waited for the listener to come back";
  EXPECT_TRUE(listener_->WaitRegistered(kPatience).ok());
  second->Deliver({MakeDelivery(11, "a", "e2")});
  LetEnd("e2");
  EXPECT_TRUE(second->NextSettlement()) << "waited for the released event's answer";
}

TEST_F(ListenerEndTest, ABusThatSaysWhenToComeBackIsObeyed) {
  auto first = StartRegistered();
  ASSERT_TRUE(first);
  absl::Status draining = MakeError(StatusCode::kUnavailable, "DRAINING", "restart");
  SetRetryDelay(draining, milliseconds(300));
  const SteadyTime begin = clock_.SteadyNow();

  first->End(ToGrpcStatus(draining));

  EXPECT_TRUE(bus_.NextRegisteredStream()) << "waited for the listener to come back";
  EXPECT_GE(clock_.SteadyNow() - begin, milliseconds(295));
}

TEST_F(ListenerEndTest, StopDrainsAnswersAndLeaves) {
  HandleByGate();
  auto stream = StartRegistered();
  ASSERT_TRUE(stream);
  stream->Deliver({MakeDelivery(1, "a"), MakeDelivery(2, "a")});
  WaitBegun(1);
  const SteadyTime begin = clock_.SteadyNow();

  std::jthread stopper = StopBeside(seconds(20));

  EXPECT_TRUE(stream->Next(ListenRequest::kDrain)) << "waited for the drain";
  const auto released = stream->NextSettlement();
  ASSERT_TRUE(released) << "waited for the release";
  EXPECT_EQ(released->delivery_id(), 2u);
  EXPECT_EQ(released->rejection().mode(), bus::v1::REJECT_MODE_RELEASE);
  LetEnd("e1");
  const auto answered = stream->NextSettlement();
  ASSERT_TRUE(answered) << "waited for the answer of what ran";
  EXPECT_EQ(answered->delivery_id(), 1u);
  EXPECT_TRUE(answered->has_acknowledgement());
  EXPECT_TRUE(stream->WaitHalfClosed()) << "waited for the half close";
  stream->End(grpc::Status::OK);
  EXPECT_TRUE(stopped_.Take()) << "waited for Stop to return";
  EXPECT_LT(clock_.SteadyNow() - begin, seconds(10));
  EXPECT_TRUE(WaitFor(ListenerEvent::kStopped)) << "waited to be told";
  EXPECT_TRUE(listener_->status().ok());
  EXPECT_TRUE(listener_->Wait().ok());
  EXPECT_FALSE(bus_.NextStream(milliseconds(100))) << "a stopped listener came back";
}

TEST_F(ListenerEndTest, StopAsksHandlersToEndWhenTheGraceIsOver) {
  HandleByGate();
  auto stream = StartRegistered();
  ASSERT_TRUE(stream);
  stream->Deliver({MakeDelivery(1, "a")});
  WaitBegun(1);

  std::jthread stopper = StopBeside(milliseconds(50));

  EXPECT_TRUE(stopped_.Take()) << "waited for Stop: the handler ends only because its stop token is requested";
  EXPECT_TRUE(stream->WaitCancelled()) << "waited for the stream to be cancelled";
}

TEST_F(ListenerEndTest, StopDoesNotWaitForABusThatDoesNotEndTheStream) {
  auto stream = StartRegistered();
  ASSERT_TRUE(stream);
  const SteadyTime begin = clock_.SteadyNow();

  listener_->Stop(milliseconds(100));

  EXPECT_LT(clock_.SteadyNow() - begin, seconds(5));
  EXPECT_TRUE(stream->WaitCancelled()) << "waited for the stream to be cancelled";
}

TEST_F(ListenerEndTest, StopEndsWaitingForABusThatIsNotThere) {
  options_.minimum_backoff = options_.maximum_backoff = seconds(60);
  Start("unix:/nonexistent/pvebus-test.sock");
  ASSERT_TRUE(WaitFor(ListenerEvent::kDisconnected)) << "waited for the first try to fail";
  const SteadyTime begin = clock_.SteadyNow();

  listener_->Stop(seconds(20));

  EXPECT_LT(clock_.SteadyNow() - begin, seconds(10));
  EXPECT_EQ(listener_->WaitRegistered(seconds(1)).code(), StatusCode::kCancelled);
}

TEST_F(ListenerEndTest, StopBeforeTheRegistrationIsAnsweredEndsTheStream) {
  Start();
  auto stream = bus_.NextStream();
  ASSERT_TRUE(stream) << "waited for a stream";

  listener_->Stop(seconds(1));

  EXPECT_TRUE(stream->WaitCancelled()) << "waited for the stream to be cancelled";
}

TEST_F(ListenerEndTest, AListenerThatWasNeverStartedCanBeDestroyed) {
  Listener never(Connect(bus_.address()), options_, handler_, nullptr, clock_, logger_);
  EXPECT_TRUE(never.status().ok());
}

TEST_F(ListenerEndTest, ASupersededListenerStaysAwayAndStopsItsHandlers) {
  HandleByGate();
  auto stream = StartRegistered();
  ASSERT_TRUE(stream);
  stream->Deliver({MakeDelivery(1, "a")});
  WaitBegun(1);

  stream->End(Refusal(StatusCode::kAborted, "SESSION_SUPERSEDED"));

  ASSERT_TRUE(WaitFor(ListenerEvent::kSuperseded)) << "waited to be told";
  EXPECT_EQ(ErrorReason(listener_->Wait()), "SESSION_SUPERSEDED");
  EXPECT_EQ(ErrorReason(listener_->status()), "SESSION_SUPERSEDED");
  EXPECT_EQ(ErrorReason(listener_->WaitRegistered(seconds(1))), "SESSION_SUPERSEDED");
  EXPECT_EQ(ended_.Take(), true) << "waited for the handler to be stopped";
  EXPECT_FALSE(bus_.NextStream(milliseconds(200))) << "it came back";
}

TEST_F(ListenerEndTest, WhatTheBusWillNeverHaveIsFinal) {
  for (const auto& [code, reason] :
       {std::pair(StatusCode::kInvalidArgument, "FILTER_INVALID"), std::pair(StatusCode::kAborted, "LISTENER_EVICTED"),
        std::pair(StatusCode::kOutOfRange, "SEQUENCE_COMPACTED")}) {
    Start();
    auto stream = bus_.NextStream();
    ASSERT_TRUE(stream) << "waited for a stream";

    stream->End(Refusal(code, reason));

    EXPECT_EQ(ErrorReason(listener_->WaitRegistered(kPatience)), reason);
    EXPECT_TRUE(WaitFor(ListenerEvent::kRefused)) << "waited to be told of " << reason;
    EXPECT_FALSE(bus_.NextStream(milliseconds(100))) << "it came back after " << reason;
  }
}

TEST_F(ListenerEndTest, AnExpiredLeaseIsNoReasonToGiveUp) {
  auto first = StartRegistered();
  ASSERT_TRUE(first);

  first->End(Refusal(StatusCode::kAborted, "LEASE_EXPIRED"));

  EXPECT_TRUE(bus_.NextRegisteredStream()) << "waited for the listener to come back";
}

TEST_F(ListenerEndTest, ANameInUseIsFinalForANewListener) {
  Start();
  auto stream = bus_.NextStream();
  ASSERT_TRUE(stream) << "waited for a stream";

  stream->End(Refusal(StatusCode::kAlreadyExists, "LISTENER_NAME_IN_USE"));

  ASSERT_TRUE(WaitFor(ListenerEvent::kRefused)) << "waited to be told";
  EXPECT_EQ(ErrorReason(listener_->Wait()), "LISTENER_NAME_IN_USE");
}

TEST_F(ListenerEndTest, ANameInUseByOurOwnLostStreamIsRetriedForTwoLeases) {
  auto first = StartRegistered(milliseconds(400));
  ASSERT_TRUE(first);
  const SteadyTime lost = clock_.SteadyNow();
  first->End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "lost"));

  int refused = 0;
  SteadyTime last = lost;
  for (; refused < 100; ++refused) {
    auto stream = bus_.NextStream(seconds(1));
    if (!stream) break;
    last = clock_.SteadyNow();
    stream->End(Refusal(StatusCode::kAlreadyExists, "LISTENER_NAME_IN_USE"));
  }

  EXPECT_GE(refused, 3);
  ASSERT_TRUE(WaitFor(ListenerEvent::kRefused)) << "waited to be told";
  EXPECT_EQ(ErrorReason(listener_->Wait()), "LISTENER_NAME_IN_USE");
  EXPECT_GE(last - lost, milliseconds(790));
}

TEST_F(ListenerEndTest, ReconnectsMoreAndMoreSlowlyUntilItWorks) {
  options_.minimum_backoff = milliseconds(20);
  options_.maximum_backoff = milliseconds(200);
  Start();
  std::vector<SteadyTime> tries;

  for (int i = 0; i < 6; ++i) {
    auto stream = bus_.NextStream();
    ASSERT_TRUE(stream) << "waited for try " << i;
    tries.push_back(clock_.SteadyNow());
    stream->End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "no"));
  }

  EXPECT_GE(tries[5] - tries[0], milliseconds(300)) << "20 + 40 + 80 + 160 + 200 ms, at most 30 % less";
  EXPECT_LE(tries[1] - tries[0], milliseconds(150));
}

}  // namespace
}  // namespace pvebus::client
