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

// What comes before and after the events' bodies, one delivery after the other.
struct Wrappings {
  struct Ends {
    size_t before;
    size_t after;
  };

  void Add(const OutgoingDelivery& delivery) {
    using Field = v1::Delivery;
    ProtoWriter writer(bytes);
    bus_fields.clear();
    AppendBusFields(*delivery.event, bus_fields);
    writer.Number(Field::kDeliveryIdFieldNumber, delivery.delivery_id);
    writer.Header(Field::kEventFieldNumber, delivery.event->body.size() + bus_fields.size());
    const size_t before = bytes.size();
    bytes += bus_fields;
    writer.Number(Field::kAttemptFieldNumber, delivery.attempt);
    writer.Number(Field::kMaxAttemptsFieldNumber, delivery.max_attempts);
    writer.Timestamp(Field::kAckDeadlineTimeFieldNumber, delivery.ack_deadline_time);
    if (!delivery.replay_id.empty()) writer.Bytes(Field::kReplayIdFieldNumber, delivery.replay_id);
    if (delivery.dry_run) writer.Number(Field::kDryRunFieldNumber, 1);
    if (delivery.backlog > 0) writer.Number(Field::kBacklogFieldNumber, delivery.backlog);
    ends.push_back({before, bytes.size()});
  }

  std::string bytes;
  std::string bus_fields;
  std::vector<Ends> ends;
};

grpc::ByteBuffer EncodeDeliveries(const std::vector<OutgoingDelivery>& deliveries) {
  Wrappings wrappings;
  wrappings.ends.reserve(deliveries.size());
  wrappings.bytes.reserve(deliveries.size() * 128);
  size_t total = 0;
  for (const OutgoingDelivery& delivery : deliveries) {
    const size_t begin = wrappings.bytes.size();
    wrappings.Add(delivery);
    const size_t size = wrappings.bytes.size() - begin + delivery.event->body.size();
    total += 1 + ProtoWriter::VarintSize(size) + size;
  }
  std::vector<grpc::Slice> slices;
  std::string bytes;
  ProtoWriter writer(bytes);
  bytes.reserve(std::min<size_t>(total, 512 * 1024) + 16);
  writer.Header(v1::ListenResponse::kDeliveriesFieldNumber, total);
  size_t begin = 0;
  for (size_t i = 0; i < deliveries.size(); ++i) {
    const EventPtr& event = deliveries[i].event;
    const auto [before, after] = wrappings.ends[i];
    writer.Header(v1::Deliveries::kDeliveriesFieldNumber, after - begin + event->body.size());
    bytes.append(wrappings.bytes, begin, before - begin);
    if (event->body.size() >= kSharedBytes) {
      slices.emplace_back(bytes);
      bytes.clear();
      slices.push_back(SharedBody(event));
    } else {
      bytes += event->body;
    }
    bytes.append(wrappings.bytes, before, after - before);
    begin = after;
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
