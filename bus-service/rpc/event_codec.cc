#include "bus-service/rpc/event_codec.h"

#include "absl/strings/str_format.h"
#include "bus-service/core/errors.h"
#include "bus-service/core/names.h"
#include "bus-service/rpc/proto_writer.h"
#include "bus-service/rpc/time_codec.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace pvebus::bus {
namespace {

using event::v1::SystemEvent;

absl::Status CheckNetworkApplied(const event::v1::NetworkApplied& applied) {
  if (applied.changes().empty()) return FieldInvalid("event.network_applied.changes", "must not be empty: no change is no event");
  if (applied.changes_size() > 10'000) return FieldInvalid("event.network_applied.changes", "must have at most 10000 entries");
  for (int i = 0; i < applied.changes_size(); ++i) {
    const auto& change = applied.changes(i);
    const std::string field = absl::StrFormat("event.network_applied.changes[%d]", i);
    if (change.change_type() == event::v1::CHANGE_TYPE_UNSPECIFIED || !event::v1::ChangeType_IsValid(change.change_type())) {
      return FieldInvalid(field + ".change_type", "must be CREATE, UPDATE, DELETE or MODIFY");
    }
    if (change.target().empty() || change.target().size() > 64) return FieldInvalid(field + ".target", "must have 1 .. 64 bytes");
    if (auto status = CheckLength(field + ".description", change.description(), 1024); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// Checks the payload; gives the type and the ordering key that follows from it.
absl::Status CheckPayload(const SystemEvent& event, EventType& type, std::string& key) {
  switch (event.payload_case()) {
    case SystemEvent::kNetworkApplied:
      type = EventType::kNetworkApplied;
      key = "network";
      return CheckNetworkApplied(event.network_applied());
    case SystemEvent::kContainerStarted:
      type = EventType::kContainerStarted;
      key = absl::StrFormat("container/%d", event.container_started().id());
      return CheckContainerId("event.container_started.id", event.container_started().id());
    case SystemEvent::kStorageVlanCreated:
      type = EventType::kStorageVlanCreated;
      key = "storage/" + event.storage_vlan_created().id();
      return CheckStorageId("event.storage_vlan_created.id", event.storage_vlan_created().id());
    case SystemEvent::kMigrationPhaseChanged: {
      type = EventType::kMigrationPhaseChanged;
      key = "migration";
      const auto phase = event.migration_phase_changed().phase();
      if (phase != event::v1::MIGRATION_PHASE_UNSPECIFIED && event::v1::MigrationPhase_IsValid(phase)) return absl::OkStatus();
      return FieldInvalid("event.migration_phase_changed.phase", "must be one of the phases PERL_ONLY .. RUST_FULL");
    }
    case SystemEvent::kCustom:
      type = EventType::kCustom;
      key = "custom/" + event.custom().name();
      if (event.custom().data_size() > 1000) return FieldInvalid("event.custom.data", "must have at most 1000 entries");
      return CheckCustomName("event.custom.name", event.custom().name());
    case SystemEvent::PAYLOAD_NOT_SET:
      break;
  }
  return PayloadMissing();
}

absl::Status CheckTexts(const SystemEvent& event) {
  const std::pair<const char*, const std::string*> texts[] = {
      {"event.source", &event.source()}, {"event.subject", &event.subject()}, {"event.ordering_key", &event.ordering_key()}};
  for (const auto& [field, text] : texts) {
    if (auto status = CheckLength(field, *text, 256); !status.ok()) return status;
  }
  if (auto status = CheckLength("event.trace_parent", event.trace_parent(), 128); !status.ok()) return status;
  if (event.attributes_size() > 64) return FieldInvalid("event.attributes", "must have at most 64 pairs");
  for (const auto& [key, value] : event.attributes()) {
    if (key.empty() || key.size() > 128) return FieldInvalid("event.attributes", "must have keys of 1 .. 128 bytes");
    if (auto status = CheckLength(absl::StrFormat("event.attributes[\"%s\"]", key), value, 1024); !status.ok()) return status;
  }
  return absl::OkStatus();
}

std::string SerializeDeterministically(const SystemEvent& event) {
  std::string bytes;
  bytes.reserve(event.ByteSizeLong());  // remembered by the message, for what follows
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  event.SerializeWithCachedSizes(&coded);
  coded.Trim();
  return bytes;
}

}  // namespace

absl::StatusOr<std::shared_ptr<Event>> DecodeEvent(SystemEvent& event, const Limits& limits) {
  if (const size_t bytes = event.ByteSizeLong(); bytes > limits.max_event_bytes)
    return EventTooLarge(bytes, limits.max_event_bytes);
  auto decoded = std::make_shared<Event>();
  std::string derived_key;
  if (auto status = CheckPayload(event, decoded->type, derived_key); !status.ok()) return status;
  if (auto status = CheckTexts(event); !status.ok()) return status;
  if (!event.event_id().empty()) {
    if (auto status = CheckEventId("event.event_id", event.event_id()); !status.ok()) return status;
  }
  decoded->parent_event_id = event.causation().parent_event_id();
  if (!decoded->parent_event_id.empty()) {
    if (auto status = CheckEventId("event.causation.parent_event_id", decoded->parent_event_id); !status.ok()) return status;
  }
  if (event.has_expire_time()) {
    auto time = FromProto("event.expire_time", event.expire_time());
    if (!time.ok()) return time.status();
    decoded->expire_time = *time;
  }
  decoded->event_id = std::move(*event.mutable_event_id());
  event.clear_event_id();
  event.clear_sequence();
  event.clear_publish_time();
  if (decoded->parent_event_id.empty()) {
    event.clear_causation();
  } else {
    event.mutable_causation()->clear_hop_count();
  }
  decoded->source = event.source();
  decoded->subject = event.subject();
  decoded->ordering_key = event.ordering_key().empty() ? derived_key : event.ordering_key();
  decoded->attributes.insert(event.attributes().begin(), event.attributes().end());
  decoded->body = SerializeDeterministically(event);
  return decoded;
}

absl::StatusOr<Duration> DecodeWait(const google::protobuf::Duration* wait_timeout, Duration time_left) {
  Duration wait = kDefaultWait;
  if (wait_timeout) {
    auto asked = FromProto("wait_timeout", *wait_timeout);
    if (!asked.ok()) return asked.status();
    wait = *asked;
  }
  return std::max(std::min({wait, Duration(kMaximumWait), time_left - Duration(kWaitMargin)}), Duration::zero());
}

absl::StatusOr<PublishCommand> DecodePublish(v1::PublishRequest& request, const Limits& limits, Duration time_left) {
  if (!request.has_event()) return PayloadMissing();
  auto event = DecodeEvent(*request.mutable_event(), limits);
  if (!event.ok()) return event.status();
  PublishCommand command;
  command.event = *std::move(event);
  if (!request.request_id().empty()) {
    if (auto status = CheckRequestId("request_id", request.request_id()); !status.ok()) return status;
    command.request_id = request.request_id();
  }
  if (!v1::WaitPolicy_IsValid(request.wait_policy()))
    return FieldInvalid("wait_policy", "must be DURABLE, FIRST_ATTEMPT or SETTLED");
  command.wait_policy = request.wait_policy() == v1::WAIT_POLICY_UNSPECIFIED ? WaitPolicy::kFirstAttempt
                                                                             : static_cast<WaitPolicy>(request.wait_policy());
  auto wait = DecodeWait(request.has_wait_timeout() ? &request.wait_timeout() : nullptr, time_left);
  if (!wait.ok()) return wait.status();
  command.wait = *wait;
  command.validate_only = request.validate_only();
  if (request.required_listeners_size() > 100) return FieldInvalid("required_listeners", "must have at most 100 names");
  command.required_listeners.assign(request.required_listeners().begin(), request.required_listeners().end());
  if (request.has_expected_last_sequence()) command.expected_last_sequence = request.expected_last_sequence();
  return command;
}

void AppendBusFields(const Event& event, std::string& out) {
  using Field = SystemEvent;
  ProtoWriter writer(out);
  writer.Bytes(Field::kEventIdFieldNumber, event.event_id);
  writer.Number(Field::kSequenceFieldNumber, event.sequence);
  writer.Timestamp(Field::kPublishTimeFieldNumber, event.publish_time);
  writer.Bytes(Field::kOrderingKeyFieldNumber, event.ordering_key);
  if (event.hop_count > 0) {
    writer.Header(Field::kCausationFieldNumber, 1 + ProtoWriter::VarintSize(event.hop_count));
    writer.Number(event::v1::Causation::kHopCountFieldNumber, event.hop_count);
  }
}

SystemEvent EncodeEvent(const Event& event) {
  std::string bytes = event.body;
  AppendBusFields(event, bytes);
  SystemEvent proto;
  proto.ParseFromString(bytes);
  return proto;
}

}  // namespace pvebus::bus
