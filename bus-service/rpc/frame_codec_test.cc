#include "bus-service/rpc/frame_codec.h"

#include "bus-service/rpc/event_codec.h"
#include "bus-service/rpc/time_codec.h"
#include "bus-service/rpc/wire.h"
#include "gtest/gtest.h"
#include "pvebus/bus/v1/listener_service.pb.h"

namespace pvebus::bus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

v1::ListenResponse Parse(const grpc::ByteBuffer& bytes) {
  v1::ListenResponse response;
  const absl::Status status = ParseMessage(bytes, response);
  EXPECT_TRUE(status.ok()) << status;
  return response;
}

v1::ListenResponse Encode(Frame frame) { return Parse(EncodeFrame(frame, "bus-1")); }

EventPtr MakeEvent(size_t bytes, Sequence sequence = 7) {
  event::v1::SystemEvent proto;
  proto.set_event_id("event-" + std::to_string(sequence));
  proto.set_subject("subject");
  proto.mutable_causation()->set_parent_event_id("parent");
  (*proto.mutable_custom()->mutable_data())["k"].set_string_value(std::string(bytes, 'x'));
  proto.mutable_custom()->set_name("x");
  Limits limits;
  limits.max_event_bytes = 4 << 20;
  auto event = DecodeEvent(proto, limits);
  EXPECT_TRUE(event.ok()) << event.status();
  (*event)->sequence = sequence;
  (*event)->hop_count = 1;
  (*event)->publish_time = SystemTime(seconds(1'700'000'000)) + milliseconds(123);
  return *event;
}

OutgoingDelivery MakeDelivery(EventPtr event, uint64_t id = 1) {
  return {id, std::move(event), 2, 10, SystemTime(seconds(1'700'000'030)), 5, {}, false};
}

// The same by way of protobuf's own classes.
v1::Delivery Expected(const OutgoingDelivery& delivery) {
  v1::Delivery expected;
  expected.set_delivery_id(delivery.delivery_id);
  *expected.mutable_event() = EncodeEvent(*delivery.event);
  expected.set_attempt(delivery.attempt);
  expected.set_max_attempts(delivery.max_attempts);
  *expected.mutable_ack_deadline_time() = ToProto(delivery.ack_deadline_time);
  expected.set_backlog(delivery.backlog);
  return expected;
}

TEST(FrameCodecTest, ADeliveryOfAnySizeParsesBackToTheSameMessage) {
  for (const size_t bytes :
       {size_t{0}, size_t{1}, size_t{100}, size_t{8 * 1024 - 64}, size_t{8 * 1024}, size_t{100'000}, size_t{(1 << 20) - 100}}) {
    SCOPED_TRACE(bytes);
    const OutgoingDelivery delivery = MakeDelivery(MakeEvent(bytes));

    const v1::ListenResponse response = Encode(DeliveriesFrame{{delivery}});

    ASSERT_EQ(response.deliveries().deliveries_size(), 1);
    EXPECT_EQ(response.deliveries().deliveries(0).SerializeAsString(), Expected(delivery).SerializeAsString());
    EXPECT_EQ(response.GetReflection()->GetUnknownFields(response).field_count(), 0);
  }
}

TEST(FrameCodecTest, ABatchOfSmallAndLargeEventsKeepsItsOrder) {
  DeliveriesFrame frame;
  const size_t kSizes[] = {10, 20'000, 10, 10, 9000, 300'000, 1};
  for (size_t i = 0; i < std::size(kSizes); ++i) frame.deliveries.push_back(MakeDelivery(MakeEvent(kSizes[i], i + 1), i + 100));

  const v1::ListenResponse response = Encode(frame);

  ASSERT_EQ(response.deliveries().deliveries_size(), static_cast<int>(std::size(kSizes)));
  for (size_t i = 0; i < std::size(kSizes); ++i) {
    EXPECT_EQ(response.deliveries().deliveries(static_cast<int>(i)).SerializeAsString(),
              Expected(frame.deliveries[i]).SerializeAsString())
        << i;
  }
}

TEST(FrameCodecTest, TenThousandDeliveriesAreOneMessage) {
  DeliveriesFrame frame;
  const EventPtr event = MakeEvent(10);
  for (uint64_t id = 1; id <= 10'000; ++id) frame.deliveries.push_back(MakeDelivery(event, (id << 36) | id));

  const v1::ListenResponse response = Encode(frame);

  ASSERT_EQ(response.deliveries().deliveries_size(), 10'000);
  EXPECT_EQ(response.deliveries().deliveries(9999).delivery_id(), (uint64_t{10'000} << 36) | 10'000);
}

TEST(FrameCodecTest, ALargeEventIsSharedAndLivesAsLongAsTheBytes) {
  EventPtr event = MakeEvent(100'000);
  const std::weak_ptr<const Event> watched = event;
  auto first = std::make_unique<grpc::ByteBuffer>(EncodeFrame(DeliveriesFrame{{MakeDelivery(event)}}, "bus-1"));
  auto second = std::make_unique<grpc::ByteBuffer>(EncodeFrame(DeliveriesFrame{{MakeDelivery(event)}}, "bus-1"));
  event.reset();

  EXPECT_FALSE(watched.expired());
  first.reset();
  EXPECT_EQ(Parse(*second).deliveries().deliveries(0).event().event_id(), "event-7");
  second.reset();
  EXPECT_TRUE(watched.expired());
}

TEST(FrameCodecTest, ADeliveryWithNothingBehindItSaysNothingAboutABacklog) {
  OutgoingDelivery delivery = MakeDelivery(MakeEvent(1));
  delivery.backlog = 0;
  EXPECT_EQ(Encode(DeliveriesFrame{{delivery}}).deliveries().deliveries(0).backlog(), 0u);
}

TEST(FrameCodecTest, AReplayedDeliverySaysWhichReplayAndWhetherItIsADryRun) {
  OutgoingDelivery delivery = MakeDelivery(MakeEvent(10'000));
  delivery.replay_id = "replay-1";
  delivery.dry_run = true;
  const OutgoingDelivery plain = MakeDelivery(MakeEvent(1));

  const v1::ListenResponse response = Encode(DeliveriesFrame{{delivery, plain}});

  EXPECT_EQ(response.deliveries().deliveries(0).replay_id(), "replay-1");
  EXPECT_TRUE(response.deliveries().deliveries(0).dry_run());
  EXPECT_EQ(response.deliveries().deliveries(0).backlog(), 5u);
  EXPECT_EQ(response.deliveries().deliveries(1).replay_id(), "");
  EXPECT_FALSE(response.deliveries().deliveries(1).dry_run());
}

TEST(FrameCodecTest, RegisteredCarriesWhatIsInForce) {
  RegisteredFrame frame{5, 3, seconds(15), 42, true, "old", DeliveryPolicy(), "instance", 64};
  const v1::Registered registered = Encode(frame).registered();

  EXPECT_EQ(registered.session_id(), "bus-1-5");
  EXPECT_EQ(registered.session_epoch(), 3u);
  EXPECT_EQ(registered.lease_duration().seconds(), 15);
  EXPECT_EQ(registered.next_sequence(), 42u);
  EXPECT_TRUE(registered.resumed());
  EXPECT_EQ(registered.superseded_instance_id(), "old");
  EXPECT_EQ(registered.effective_policy().ack_deadline().seconds(), 30);
  EXPECT_EQ(registered.effective_policy().max_attempts(), 10u);
  EXPECT_EQ(registered.bus_instance_id(), "bus-1");
  EXPECT_EQ(registered.instance_id(), "instance");
  EXPECT_EQ(registered.max_in_flight(), 64u);
}

TEST(FrameCodecTest, TheOtherFramesCarryWhatTheySay) {
  const auto confirmations =
      Encode(ConfirmationsFrame{{{7, ConfirmationStatus::kAccepted}, {8, ConfirmationStatus::kStaleSession}}}).confirmations();
  ASSERT_EQ(confirmations.confirmations_size(), 2);
  EXPECT_EQ(confirmations.confirmations(0).delivery_id(), 7u);
  EXPECT_EQ(confirmations.confirmations(0).status(), v1::CONFIRMATION_STATUS_ACCEPTED);
  EXPECT_EQ(confirmations.confirmations(1).status(), v1::CONFIRMATION_STATUS_STALE_SESSION);
  EXPECT_EQ(Encode(HeartbeatFrame{SystemTime(seconds(5))}).heartbeat().send_time().seconds(), 5);
  EXPECT_EQ(Encode(CaughtUpFrame{9}).caught_up().sequence(), 9u);
  EXPECT_EQ(Encode(DrainFrame{"why", seconds(10)}).drain().reason(), "why");
  EXPECT_EQ(Encode(DrainFrame{"why", seconds(10)}).drain().grace().seconds(), 10);
}

TEST(FrameCodecTest, TheNamesOfTheCoreHaveTheNumbersOfTheContract) {
  EXPECT_EQ(static_cast<int>(ConfirmationStatus::kAcceptedLate), v1::CONFIRMATION_STATUS_ACCEPTED_LATE);
  EXPECT_EQ(static_cast<int>(ConfirmationStatus::kAlreadySettled), v1::CONFIRMATION_STATUS_ALREADY_SETTLED);
  EXPECT_EQ(static_cast<int>(ConfirmationStatus::kUnknownDelivery), v1::CONFIRMATION_STATUS_UNKNOWN_DELIVERY);
  EXPECT_EQ(static_cast<int>(DeliveryState::kQueued), v1::DELIVERY_STATE_QUEUED);
  EXPECT_EQ(static_cast<int>(DeliveryState::kInFlight), v1::DELIVERY_STATE_IN_FLIGHT);
  EXPECT_EQ(static_cast<int>(DeliveryState::kSucceeded), v1::DELIVERY_STATE_SUCCEEDED);
  EXPECT_EQ(static_cast<int>(DeliveryState::kRetryScheduled), v1::DELIVERY_STATE_RETRY_SCHEDULED);
  EXPECT_EQ(static_cast<int>(DeliveryState::kDeadLettered), v1::DELIVERY_STATE_DEAD_LETTERED);
  EXPECT_EQ(static_cast<int>(DeliveryState::kSkipped), v1::DELIVERY_STATE_SKIPPED);
  EXPECT_EQ(static_cast<int>(DeliveryState::kOffline), v1::DELIVERY_STATE_OFFLINE);
  EXPECT_EQ(static_cast<int>(DeliveryState::kPaused), v1::DELIVERY_STATE_PAUSED);
  EXPECT_EQ(static_cast<int>(DeliveryState::kExpired), v1::DELIVERY_STATE_EXPIRED);
  EXPECT_EQ(static_cast<int>(DeliveryState::kDeferred), v1::DELIVERY_STATE_DEFERRED);
  EXPECT_EQ(static_cast<int>(ConflictPolicy::kTakeoverForce), v1::CONFLICT_POLICY_TAKEOVER_FORCE);
  EXPECT_EQ(static_cast<int>(WaitPolicy::kDurable), v1::WAIT_POLICY_DURABLE);
  EXPECT_EQ(static_cast<int>(WaitPolicy::kFirstAttempt), v1::WAIT_POLICY_FIRST_ATTEMPT);
  EXPECT_EQ(static_cast<int>(WaitPolicy::kSettled), v1::WAIT_POLICY_SETTLED);
  EXPECT_EQ(static_cast<int>(EventType::kCustom), event::v1::EVENT_TYPE_CUSTOM);
  EXPECT_EQ(static_cast<int>(EventType::kNetworkApplied), event::v1::EVENT_TYPE_NETWORK_APPLIED);
}

}  // namespace
}  // namespace pvebus::bus
