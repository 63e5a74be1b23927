#include "bus-service/rpc/frame_codec.h"

#include <vector>

#include "absl/strings/str_format.h"
#include "bus-service/rpc/event_codec.h"
#include "bus-service/rpc/listener_codec.h"
#include "bus-service/rpc/proto_writer.h"
#include "bus-service/rpc/time_codec.h"
#include "bus-service/rpc/wire.h"
#include "pvebus/bus/v1/listener_service.pb.h"

namespace pvebus::bus {
namespace {

// From here on a reference is cheaper than a copy.
constexpr size_t kSharedBytes = 8 * 1024;

// A slice over an event's bytes that keeps the event alive.
grpc::Slice SharedBody(const EventPtr& event) {
  return grpc::Slice(
      const_cast<char*>(event->body.data()), event->body.size(), [](void* holder) { delete static_cast<EventPtr*>(holder); },
      new EventPtr(event));
}

// One delivery's bytes: what comes before and after the event's body.
struct Wrapping {
  std::string before;
  std::string after;
};

Wrapping Wrap(const OutgoingDelivery& delivery) {
  using Field = v1::Delivery;
  Wrapping wrapping;
  AppendBusFields(*delivery.event, wrapping.after);
  const size_t event_size = delivery.event->body.size() + wrapping.after.size();
  ProtoWriter before(wrapping.before);
  before.Number(Field::kDeliveryIdFieldNumber, delivery.delivery_id);
  before.Header(Field::kEventFieldNumber, event_size);
  ProtoWriter after(wrapping.after);
  after.Number(Field::kAttemptFieldNumber, delivery.attempt);
  after.Number(Field::kMaxAttemptsFieldNumber, delivery.max_attempts);
  after.Timestamp(Field::kAckDeadlineTimeFieldNumber, delivery.ack_deadline_time);
  if (!delivery.replay_id.empty()) after.Bytes(Field::kReplayIdFieldNumber, delivery.replay_id);
  if (delivery.dry_run) after.Number(Field::kDryRunFieldNumber, 1);
  if (delivery.backlog > 0) after.Number(Field::kBacklogFieldNumber, delivery.backlog);
  return wrapping;
}

grpc::ByteBuffer EncodeDeliveries(const std::vector<OutgoingDelivery>& deliveries) {
  std::vector<Wrapping> wrappings;
  wrappings.reserve(deliveries.size());
  size_t total = 0;
  for (const OutgoingDelivery& delivery : deliveries) {
    const Wrapping& wrapping = wrappings.emplace_back(Wrap(delivery));
    const size_t size = wrapping.before.size() + delivery.event->body.size() + wrapping.after.size();
    total += 1 + ProtoWriter::VarintSize(size) + size;
  }
  std::vector<grpc::Slice> slices;
  std::string bytes;
  ProtoWriter writer(bytes);
  bytes.reserve(std::min<size_t>(total, 512 * 1024) + 16);
  writer.Header(v1::ListenResponse::kDeliveriesFieldNumber, total);
  for (size_t i = 0; i < deliveries.size(); ++i) {
    const EventPtr& event = deliveries[i].event;
    writer.Header(v1::Deliveries::kDeliveriesFieldNumber,
                  wrappings[i].before.size() + event->body.size() + wrappings[i].after.size());
    bytes += wrappings[i].before;
    if (event->body.size() >= kSharedBytes) {
      slices.emplace_back(bytes);
      bytes.clear();
      slices.push_back(SharedBody(event));
    } else {
      bytes += event->body;
    }
    bytes += wrappings[i].after;
  }
  slices.emplace_back(bytes);
  return grpc::ByteBuffer(slices.data(), slices.size());
}

struct Encoder {
  const std::string& bus_instance_id;
  v1::ListenResponse& out;

  void operator()(const RegisteredFrame& frame) const {
    v1::Registered& registered = *out.mutable_registered();
    registered.set_session_id(absl::StrFormat("%s-%d", bus_instance_id, frame.session_number));
    registered.set_session_epoch(frame.session_epoch);
    *registered.mutable_lease_duration() = ToProto(frame.lease);
    registered.set_next_sequence(frame.next_sequence);
    registered.set_resumed(frame.resumed);
    registered.set_superseded_instance_id(frame.superseded_instance_id);
    EncodePolicy(frame.policy, *registered.mutable_effective_policy());
    registered.set_bus_instance_id(bus_instance_id);
    registered.set_instance_id(frame.instance_id);
    registered.set_max_in_flight(frame.max_in_flight);
  }
  void operator()(const DeliveriesFrame&) const {}  // EncodeDeliveries
  void operator()(const ConfirmationsFrame& frame) const {
    for (const Confirmation& confirmation : frame.confirmations) {
      v1::Confirmation& added = *out.mutable_confirmations()->add_confirmations();
      added.set_delivery_id(confirmation.delivery_id);
      added.set_status(static_cast<v1::ConfirmationStatus>(confirmation.status));
    }
  }
  void operator()(const HeartbeatFrame& frame) const { *out.mutable_heartbeat()->mutable_send_time() = ToProto(frame.send_time); }
  void operator()(const CaughtUpFrame& frame) const { out.mutable_caught_up()->set_sequence(frame.sequence); }
  void operator()(const DrainFrame& frame) const {
    out.mutable_drain()->set_reason(frame.reason);
    *out.mutable_drain()->mutable_grace() = ToProto(frame.grace);
  }
};

}  // namespace

grpc::ByteBuffer EncodeFrame(const Frame& frame, const std::string& bus_instance_id) {
  if (const auto* deliveries = std::get_if<DeliveriesFrame>(&frame)) return EncodeDeliveries(deliveries->deliveries);
  v1::ListenResponse response;
  std::visit(Encoder{bus_instance_id, response}, frame);
  return SerializeMessage(response);
}

}  // namespace pvebus::bus
