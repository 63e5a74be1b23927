#include "sdk/client/listener.h"

#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "sdk/client/channel.h"
#include "sdk/client/fake_bus.h"
#include "sdk/client/listener_fixture.h"
#include "sdk/client/proto_time.h"
#include "sdk/status/status.h"

namespace pvebus::client {
namespace {

using bus::v1::ListenRequest;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(ListenerTest, RegistersAsItWasTold) {
  options_.registration.set_filter("source = \"a\"");
  options_.registration.set_max_in_flight(7);
  options_.registration.mutable_start_position()->set_earliest(true);
  Start();

  auto stream = bus_.NextStream();
  ASSERT_TRUE(stream) << "waited for a stream";
  const auto first = stream->Next();

  ASSERT_TRUE(first && first->has_registration());
  EXPECT_EQ(first->registration().listener(), "test-listener");
  EXPECT_EQ(first->registration().filter(), "source = \"a\"");
  EXPECT_EQ(first->registration().max_in_flight(), 7u);
  EXPECT_TRUE(first->registration().start_position().earliest());
  EXPECT_EQ(first->registration().instance_id().size(), 32u);
  EXPECT_EQ(first->registration().conflict_policy(), bus::v1::CONFLICT_POLICY_TAKEOVER_SAME_INSTANCE);
  EXPECT_EQ(listener_->WaitRegistered(milliseconds(20)).code(), absl::StatusCode::kDeadlineExceeded);
  stream->Register();
  EXPECT_TRUE(listener_->WaitRegistered(kPatience).ok());
}

TEST_F(ListenerTest, AnswersWithWhatTheHandlerSaid) {
  handler_ = [](const EventContext& context) {
    if (context.event().event_id() == "e2") return Answer::DeadLetter(absl::StatusCode::kInvalidArgument, "BAD", "no bridge");
    bus::v1::Acknowledgement acknowledgement;
    acknowledgement.add_hook_results()->set_hook("logger");
    return Answer::Ack(acknowledgement);
  };
  auto stream = StartRegistered();
  ASSERT_TRUE(stream);

  stream->Deliver({MakeDelivery(1, "a")});
  const auto acknowledged = stream->NextSettlement();
  stream->Deliver({MakeDelivery(2, "a")});
  const auto rejected = stream->NextSettlement();

  ASSERT_TRUE(acknowledged && rejected) << "waited for two settlements";
  EXPECT_EQ(acknowledged->delivery_id(), 1u);
  EXPECT_EQ(acknowledged->acknowledgement().hook_results(0).hook(), "logger");
  EXPECT_EQ(rejected->delivery_id(), 2u);
  EXPECT_EQ(rejected->rejection().mode(), bus::v1::REJECT_MODE_DEAD_LETTER);
  EXPECT_EQ(rejected->rejection().error().code(), 3);
  EXPECT_EQ(rejected->rejection().error().reason(), "BAD");
  EXPECT_EQ(rejected->rejection().error().message(), "no bridge");
}

TEST_F(ListenerTest, NoAnswerIsNoSettlement) {
  handler_ = [](const EventContext& context) { return context.event().event_id() == "e1" ? Answer::None() : Answer::Ack(); };
  auto stream = StartRegistered();
  ASSERT_TRUE(stream);

  stream->Deliver({MakeDelivery(1, "a"), MakeDelivery(2, "a")});

  const auto settlement = stream->NextSettlement();
  ASSERT_TRUE(settlement) << "waited for the second event's settlement";
  EXPECT_EQ(settlement->delivery_id(), 2u);
}

TEST_F(ListenerTest, AHandlerThatThrowsIsARetry) {
  handler_ = [](const EventContext&) -> Answer { throw std::runtime_error("boom"); };
  auto stream = StartRegistered();
  ASSERT_TRUE(stream);

  stream->Deliver({MakeDelivery(1, "a")});

  const auto settlement = stream->NextSettlement();
  ASSERT_TRUE(settlement) << "waited for the rejection";
  EXPECT_EQ(settlement->rejection().mode(), bus::v1::REJECT_MODE_RETRY);
  EXPECT_EQ(settlement->rejection().error().message(), "boom");
}

TEST_F(ListenerTest, OneKeyIsHandledOneAtATimeWhileOthersRunBeside) {
  HandleByGate();
  auto stream = StartRegistered();
  ASSERT_TRUE(stream);

  stream->Deliver({MakeDelivery(1, "a"), MakeDelivery(2, "a"), MakeDelivery(3, "b"), MakeDelivery(4, "c")});

  EXPECT_EQ(WaitBegun(3), (std::set<std::string>{"e1", "e3", "e4"}));
  LetEnd("e1");
  EXPECT_EQ(WaitBegun(1), (std::set<std::string>{"e2"}));
  for (const char* event : {"e2", "e3", "e4"}) LetEnd(event);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(stream->NextSettlement()) << "waited for settlement " << i;
}

TEST_F(ListenerTest, NoMoreHandlersThanAllowedRunAtOnce) {
  options_.max_concurrency = 2;
  HandleByGate();
  auto stream = StartRegistered();
  ASSERT_TRUE(stream);

  stream->Deliver({MakeDelivery(1, "a"), MakeDelivery(2, "b"), MakeDelivery(3, "c")});

  WaitBegun(2);
  EXPECT_FALSE(begun_.Take(milliseconds(50))) << "a third handler runs";
  LetEnd("e1");
  EXPECT_EQ(WaitBegun(1), (std::set<std::string>{"e3"}));
  LetEnd("e2");
  LetEnd("e3");
}

TEST_F(ListenerTest, AHandlerThatHangsAfterManyQuickOnesHoldsUpNothing) {
  options_.max_concurrency = 2;
  HandleByGate();
  for (int i = 1; i <= 1000; ++i) LetEnd("e" + std::to_string(i));
  auto stream = StartRegistered();
  ASSERT_TRUE(stream);
  for (uint64_t id = 1; id <= 1000; ++id) {
    stream->Deliver({MakeDelivery(id, "a")});
    ASSERT_TRUE(stream->NextSettlement()) << "waited for settlement " << id;
  }

  LetEnd("quick");
  LetEnd("later");
  stream->Deliver({MakeDelivery(2001, "b", "quick"), MakeDelivery(2002, "c", "slow")});

  const auto quick = stream->NextSettlement(seconds(3));  // the next heartbeat, after 5 s, would bring it along
  ASSERT_TRUE(quick) << "waited for the answer that was given before the slow handler began";
  EXPECT_EQ(quick->delivery_id(), 2001u);
  stream->Deliver({MakeDelivery(2003, "d", "later")});
  const auto later = stream->NextSettlement();
  ASSERT_TRUE(later) << "waited for an event that came later";
  EXPECT_EQ(later->delivery_id(), 2003u);
  LetEnd("slow");
  EXPECT_TRUE(stream->NextSettlement()) << "waited for the slow one";
}

TEST_F(ListenerTest, AnswersOfQuickHandlersTravelTogether) {
  auto stream = StartRegistered();
  ASSERT_TRUE(stream);
  for (uint64_t id = 1; id <= 100; ++id) {
    stream->Deliver({MakeDelivery(id, "a")});
    ASSERT_TRUE(stream->NextSettlement()) << "waited for settlement " << id;
  }
  std::vector<bus::v1::Delivery> frame;
  for (uint64_t id = 1001; id <= 1200; ++id) frame.push_back(MakeDelivery(id, "k" + std::to_string(id)));

  stream->Deliver(frame);

  int settled = 0, messages = 0;
  while (settled < 200) {
    const auto message = stream->Next(ListenRequest::kSettlements);
    ASSERT_TRUE(message) << "waited for more than " << settled << " settlements";
    settled += message->settlements().settlements_size();
    ++messages;
  }
  EXPECT_LE(messages, 100);
}

TEST_F(ListenerTest, ConnectsWhenTheBusComes) {
  const std::string address = "unix:" + testing::TempDir() + "listener_test_" + std::to_string(getpid()) + ".sock";
  Start(address);
  EXPECT_EQ(listener_->WaitRegistered(milliseconds(300)).code(), absl::StatusCode::kDeadlineExceeded);
  ASSERT_TRUE(WaitFor(ListenerEvent::kDisconnected)) << "waited to be told that nobody is there";

  FakeBus late(address);
  auto stream = late.NextRegisteredStream();

  ASSERT_TRUE(stream) << "waited for a stream at the bus that came late";
  EXPECT_TRUE(listener_->WaitRegistered(kPatience).ok());
  listener_->Stop(milliseconds(0));
}

TEST_F(ListenerTest, GoesOnWhereItWasWhenTheStreamIsLost) {
  options_.registration.mutable_start_position()->set_earliest(true);
  Start();
  auto first = bus_.NextStream();
  ASSERT_TRUE(first) << "waited for a stream";
  const auto before = first->Next(ListenRequest::kRegistration);
  first->Register();

  first->End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "lost"));

  auto second = bus_.NextStream();
  ASSERT_TRUE(second) << "waited for another stream";
  const auto after = second->Next(ListenRequest::kRegistration);
  ASSERT_TRUE(before && after);
  EXPECT_TRUE(after->registration().start_position().resume());
  EXPECT_EQ(after->registration().instance_id(), before->registration().instance_id());
  EXPECT_TRUE(WaitFor(ListenerEvent::kDisconnected)) << "waited to be told";
  second->Register();
  EXPECT_TRUE(listener_->WaitRegistered(kPatience).ok());
}

TEST_F(ListenerTest, SendsASignOfLifeEveryThirdOfTheLease) {
  const SteadyTime begin = clock_.SteadyNow();  // before the listener can count its first third
  auto stream = StartRegistered(milliseconds(600));
  ASSERT_TRUE(stream);

  for (int beat = 1; beat <= 4; ++beat) {
    const auto heartbeat = stream->Next();
    ASSERT_TRUE(heartbeat && heartbeat->has_heartbeat()) << "waited for heartbeat " << beat;
    EXPECT_GT(heartbeat->heartbeat().send_time().seconds(), 0);
    EXPECT_GE(clock_.SteadyNow() - begin, beat * milliseconds(195));
    stream->Send(Heartbeat());
  }
  EXPECT_LE(clock_.SteadyNow() - begin, seconds(4)) << "four heartbeats, 200 ms apart";
}

TEST_F(ListenerTest, GivesUpAStreamOnWhichTheBusSaysNothingForAWholeLease) {
  auto stream = StartRegistered(milliseconds(300));
  ASSERT_TRUE(stream);

  EXPECT_TRUE(stream->WaitCancelled()) << "waited for the listener to give up the silent stream";
  EXPECT_TRUE(bus_.NextRegisteredStream()) << "waited for another stream";
  const auto told = WaitFor(ListenerEvent::kDisconnected);
  ASSERT_TRUE(told) << "waited to be told";
  EXPECT_EQ(told->code(), absl::StatusCode::kUnavailable);
}

TEST_F(ListenerTest, ExtendsTheAckDeadlineWhileAHandlerRuns) {
  HandleByGate();
  Start();
  auto stream = bus_.NextStream();
  ASSERT_TRUE(stream && stream->Next(ListenRequest::kRegistration)) << "waited for a registration";
  stream->Register(seconds(15), milliseconds(400), milliseconds(500));
  const SteadyTime begin = clock_.SteadyNow();

  stream->Deliver({MakeDelivery(1, "a")});

  Duration furthest{};
  int extensions = 0;
  // 400 ms and 500 ms of extension: when that is used up, the extensions stop.
  while (const auto request = stream->Next(ListenRequest::kExtension, milliseconds(600))) {
    EXPECT_EQ(request->extension().delivery_id(), 1u);
    EXPECT_GE(clock_.SteadyNow() - begin, milliseconds(195));
    furthest = std::max<Duration>(furthest, clock_.SteadyNow() - begin + FromProto(request->extension().ack_deadline()));
    ++extensions;
  }
  EXPECT_GE(extensions, 2);
  EXPECT_GE(furthest, milliseconds(890));
  EXPECT_LE(furthest, milliseconds(2000));
  LetEnd("e1");
  EXPECT_TRUE(stream->NextSettlement()) << "waited for the late answer";
}

TEST_F(ListenerTest, ADeliveryThatIsAnsweredIsNotExtended) {
  Start();
  auto stream = bus_.NextStream();
  ASSERT_TRUE(stream && stream->Next(ListenRequest::kRegistration)) << "waited for a registration";
  stream->Register(seconds(15), milliseconds(100), seconds(10));

  stream->Deliver({MakeDelivery(1, "a")});

  EXPECT_TRUE(stream->NextSettlement()) << "waited for the answer";
  EXPECT_FALSE(stream->Next(ListenRequest::kExtension, milliseconds(200)));
}

TEST_F(ListenerTest, WhatWasAcknowledgedIsNotHandledAgain) {
  auto stream = StartRegistered();
  ASSERT_TRUE(stream);
  auto with = [](bus::v1::Delivery delivery, auto change) {
    change(delivery);
    return delivery;
  };

  stream->Deliver({MakeDelivery(1, "a", "same"), MakeDelivery(2, "a", "same")});
  EXPECT_TRUE(stream->NextSettlement()->has_acknowledgement());
  EXPECT_TRUE(stream->NextSettlement()->has_acknowledgement());
  EXPECT_EQ(handled_, 1);

  stream->Deliver({with(MakeDelivery(3, "a", "same"), [](auto& delivery) { delivery.set_replay_id("r1"); })});
  EXPECT_TRUE(stream->NextSettlement()->has_acknowledgement());
  EXPECT_EQ(handled_, 2) << "a replay always runs";

  stream->Deliver({with(MakeDelivery(4, "a", "same"), [](auto& delivery) { delivery.set_dry_run(true); })});
  EXPECT_TRUE(stream->NextSettlement()->has_acknowledgement());
  EXPECT_EQ(handled_, 3) << "a dry run says what it would do";

  stream->Deliver({with(MakeDelivery(5, "a", "other"), [](auto& delivery) { delivery.set_dry_run(true); })});
  EXPECT_TRUE(stream->NextSettlement());
  stream->Deliver({MakeDelivery(6, "a", "other")});
  EXPECT_TRUE(stream->NextSettlement());
  EXPECT_EQ(handled_, 5) << "a dry run did nothing that could be left out later";
}

TEST_F(ListenerTest, WhatWasRejectedIsHandledAgain) {
  handler_ = [this](const EventContext&) {
    return ++handled_ == 1 ? Answer::Retry(absl::StatusCode::kUnavailable, "BUSY", "") : Answer::Ack();
  };
  auto stream = StartRegistered();
  ASSERT_TRUE(stream);

  stream->Deliver({MakeDelivery(1, "a", "same")});
  EXPECT_TRUE(stream->NextSettlement()->has_rejection());
  stream->Deliver({MakeDelivery(2, "a", "same")});

  EXPECT_TRUE(stream->NextSettlement()->has_acknowledgement());
  EXPECT_EQ(handled_, 2);
}

TEST_F(ListenerTest, AHandlerOutlivesItsStreamAndItsSuccessIsRemembered) {
  HandleByGate();
  auto first = StartRegistered();
  ASSERT_TRUE(first);
  first->Deliver({MakeDelivery(1, "a", "same"), MakeDelivery(2, "a", "behind")});
  WaitBegun(1);

  first->End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "lost"));
  auto second = bus_.NextRegisteredStream();
  ASSERT_TRUE(second) << "waited for another stream";
  second->Deliver({MakeDelivery(11, "a", "same"), MakeDelivery(12, "a", "behind")});
  EXPECT_FALSE(second->NextSettlement(milliseconds(50))) << "the key is busy";
  LetEnd("same");

  const auto settlement = second->NextSettlement();
  ASSERT_TRUE(settlement) << "waited for the acknowledgement on the new stream";
  EXPECT_EQ(settlement->delivery_id(), 11u);
  EXPECT_TRUE(settlement->has_acknowledgement());
  EXPECT_EQ(WaitBegun(1), (std::set<std::string>{"behind"}));
  LetEnd("behind");
  const auto behind = second->NextSettlement();
  ASSERT_TRUE(behind) << "waited for the event behind";
  EXPECT_EQ(behind->delivery_id(), 12u);
  EXPECT_EQ(handled_, 2);
}

TEST_F(ListenerTest, ANestedPublishNamesItsCause) {
  bus_.OnPublish([this](auto&, const bus::v1::PublishRequest& request, auto&) {
    published_.Put(request);
    return grpc::Status::OK;
  });
  handler_ = [](const EventContext& context) {
    event::v1::SystemEvent event;
    event.mutable_custom()->set_name("nested");
    EXPECT_TRUE(context.Publish(event).ok());
    return Answer::Ack();
  };
  auto stream = StartRegistered();
  ASSERT_TRUE(stream);

  stream->Deliver({MakeDelivery(1, "a", "the-cause")});

  const auto request = published_.Take();
  ASSERT_TRUE(request) << "waited for the nested publish";
  EXPECT_EQ(request->event().causation().parent_event_id(), "the-cause");
  EXPECT_TRUE(stream->NextSettlement()) << "waited for the answer";
}

TEST_F(ListenerTest, ANestedPublishEndsWhenItsHandlerIsStopped) {
  bus_.OnPublish([this](grpc::ServerContext& context, const bus::v1::PublishRequest& request, auto&) {
    published_.Put(request);
    Mailbox<bool> never;
    while (!context.IsCancelled() && !never.Take(milliseconds(5))) {
    }
    return grpc::Status::CANCELLED;
  });
  handler_ = [](const EventContext& context) {
    event::v1::SystemEvent event;
    event.mutable_custom()->set_name("nested");
    EXPECT_EQ(context.Publish(event).status().code(), absl::StatusCode::kCancelled);
    return Answer::Ack();
  };
  auto stream = StartRegistered();
  ASSERT_TRUE(stream);
  stream->Deliver({MakeDelivery(1, "a")});
  ASSERT_TRUE(published_.Take()) << "waited for the nested publish";
  const SteadyTime begin = clock_.SteadyNow();

  listener_->Stop(milliseconds(0));

  EXPECT_LT(clock_.SteadyNow() - begin, seconds(10)) << "the publish itself would take 40 s";
}

TEST_F(ListenerTest, WithoutAPublisherANestedPublishIsRefused) {
  const bus::v1::Delivery delivery = MakeDelivery(1, "a");
  const EventContext context(delivery, nullptr, {});

  EXPECT_EQ(context.Publish({}).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace pvebus::client
