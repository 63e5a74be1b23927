#include "bus-service/rpc/listener_codec.h"

#include "absl/strings/str_format.h"
#include "bus-service/core/errors.h"
#include "bus-service/core/limits.h"
#include "bus-service/core/names.h"
#include "bus-service/rpc/result_codec.h"
#include "bus-service/rpc/time_codec.h"

namespace pvebus::bus {
namespace {

constexpr int kUnknown = 2;
constexpr int kUnavailable = 14;
constexpr int kLastCode = 16;  // of google.rpc.Code

// Sets `out` from an optional duration field; 0 counts as absent.
absl::Status DecodeDuration(std::string_view field, bool present, const google::protobuf::Duration& duration, Duration& out) {
  if (!present) return absl::OkStatus();
  auto decoded = FromProto(field, duration);
  if (!decoded.ok()) return decoded.status();
  if (*decoded != Duration::zero()) out = *decoded;
  return absl::OkStatus();
}

absl::StatusOr<DeliveryPolicy> DecodePolicy(const v1::DeliveryPolicy& proto) {
  DeliveryPolicy policy;
  absl::Status status;
  status.Update(
      DecodeDuration("delivery_policy.ack_deadline", proto.has_ack_deadline(), proto.ack_deadline(), policy.ack_deadline));
  status.Update(DecodeDuration("delivery_policy.max_ack_extension", proto.has_max_ack_extension(), proto.max_ack_extension(),
                               policy.max_ack_extension));
  status.Update(DecodeDuration("delivery_policy.minimum_backoff", proto.has_minimum_backoff(), proto.minimum_backoff(),
                               policy.minimum_backoff));
  policy.maximum_backoff = std::max(policy.maximum_backoff, policy.minimum_backoff);
  status.Update(DecodeDuration("delivery_policy.maximum_backoff", proto.has_maximum_backoff(), proto.maximum_backoff(),
                               policy.maximum_backoff));
  if (!status.ok()) return status;
  if (proto.max_attempts() != 0) policy.max_attempts = proto.max_attempts();
  if (proto.backoff_multiplier() != 0) policy.backoff_multiplier = proto.backoff_multiplier();
  status = policy.Validate();
  if (!status.ok()) return status;
  return policy;
}

// What a listener says about itself is kept, but not without end (types.proto states the limits).
std::string Cut(const std::string& text, size_t most) {
  size_t end = std::min(text.size(), most);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // not inside a character
  return text.substr(0, end);
}

// Of what is read from its end.
std::string CutFront(const std::string& text, size_t most) {
  size_t begin = text.size() - std::min(text.size(), most);
  while (begin < text.size() && (static_cast<unsigned char>(text[begin]) & 0xc0) == 0x80) ++begin;
  return text.substr(begin);
}

absl::Status DecodeHookResults(const google::protobuf::RepeatedPtrField<v1::HookResult>& results, std::string& out) {
  if (results.empty()) return absl::OkStatus();
  if (results.size() > 256) return FieldInvalid("hook_results", "must have at most 256 entries");
  v1::ListenerResult row;
  for (const v1::HookResult& result : results) {
    if (auto status = CheckName("hook_results.hook", result.hook()); !status.ok()) return status;
    if (result.state() == v1::HOOK_STATE_UNSPECIFIED || !v1::HookState_IsValid(result.state())) {
      return FieldInvalid("hook_results.state", absl::StrFormat("of hook \"%s\" must be set", result.hook()));
    }
    if (auto duration = FromProto("hook_results.duration", result.duration()); !duration.ok()) return duration.status();
    v1::HookResult& kept = *row.add_hook_results();
    kept = result;
    kept.DiscardUnknownFields();
    kept.set_resource(Cut(result.resource(), 256));
    kept.set_before(Cut(result.before(), 4096));
    kept.set_after(Cut(result.after(), 4096));
    kept.set_message(Cut(result.message(), 4096));
    kept.set_output(CutFront(result.output(), 4096));
  }
  out = row.SerializeAsString();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<uint32_t> DecodeEventTypes(const google::protobuf::RepeatedField<int>& types) {
  uint32_t mask = 0;
  for (const int type : types) {
    if (type == event::v1::EVENT_TYPE_UNSPECIFIED || !event::v1::EventType_IsValid(type)) {
      return FieldInvalid("event_types", absl::StrFormat("has the value %d, which is no type of event", type));
    }
    mask |= 1u << type;
  }
  return mask;
}

absl::StatusOr<StartPosition> DecodeStartPosition(std::string_view field, const v1::StartPosition& proto) {
  StartPosition position;
  const auto only_true = [&](bool value, const char* name, StartPosition::Kind kind) -> absl::StatusOr<StartPosition> {
    if (!value) return FieldInvalid(absl::StrFormat("%s.%s", field, name), "must be true when it is set");
    position.kind = kind;
    return position;
  };
  switch (proto.position_case()) {
    case v1::StartPosition::kSequence:
      position.kind = StartPosition::Kind::kSequence;
      position.sequence = proto.sequence();
      break;
    case v1::StartPosition::kTime: {
      auto time = FromProto(absl::StrFormat("%s.time", field), proto.time());
      if (!time.ok()) return time.status();
      position.kind = StartPosition::Kind::kTime;
      position.time = *time;
      break;
    }
    case v1::StartPosition::kEarliest:
      return only_true(proto.earliest(), "earliest", StartPosition::Kind::kEarliest);
    case v1::StartPosition::kLatest:
      return only_true(proto.latest(), "latest", StartPosition::Kind::kLatest);
    case v1::StartPosition::kResume:
      return only_true(proto.resume(), "resume", StartPosition::Kind::kResume);
    case v1::StartPosition::POSITION_NOT_SET:
      break;
  }
  return position;
}

absl::StatusOr<Registration> DecodeRegistration(const v1::Registration& proto) {
  Registration registration;
  if (auto status = CheckName("registration.listener", proto.listener()); !status.ok()) return status;
  registration.listener = proto.listener();
  for (const auto& [field, text] :
       {std::pair("registration.instance_id", &proto.instance_id()), std::pair("registration.node", &proto.node())}) {
    if (auto status = CheckLength(field, *text, 128); !status.ok()) return status;
  }
  registration.instance_id = proto.instance_id();
  registration.node = proto.node();
  if (!v1::ConflictPolicy_IsValid(proto.conflict_policy()))
    return FieldInvalid("registration.conflict_policy", "has an unknown value");
  registration.conflict_policy = static_cast<ConflictPolicy>(proto.conflict_policy());
  auto types = DecodeEventTypes(proto.event_types());
  if (!types.ok()) return types.status();
  registration.event_types = *types;
  auto filter = Filter::ParseForEvents(proto.filter());
  if (!filter.ok()) return filter.status();
  registration.filter = *std::move(filter);
  auto policy = DecodePolicy(proto.delivery_policy());
  if (!policy.ok()) return policy.status();
  registration.delivery_policy = *policy;
  auto position = DecodeStartPosition("registration.start_position", proto.start_position());
  if (!position.ok()) return position.status();
  registration.start_position = *position;
  registration.max_in_flight = proto.max_in_flight() == 0 ? kDefaultMaxInFlight : proto.max_in_flight();
  if (registration.max_in_flight > kMaximumMaxInFlight) return FieldInvalid("registration.max_in_flight", "must be 1 .. 10000");
  registration.lease = kDefaultLease;
  if (auto status =
          DecodeDuration("registration.lease_duration", proto.has_lease_duration(), proto.lease_duration(), registration.lease);
      !status.ok()) {
    return status;
  }
  if (registration.lease < Duration(kMinimumLease) || registration.lease > Duration(kMaximumLease)) {
    return FieldInvalid("registration.lease_duration", "must be 200 ms .. 1 h");
  }
  registration.ephemeral = proto.ephemeral();
  size_t label_bytes = 0;
  for (const auto& [key, value] : proto.labels()) label_bytes += key.size() + value.size();
  if (proto.labels_size() > 32 || label_bytes > 4096)
    return FieldInvalid("registration.labels", "must be at most 32 pairs of 4096 bytes in all");
  registration.labels.insert(proto.labels().begin(), proto.labels().end());
  return registration;
}

namespace {

ListenerError DecodeError(const v1::ListenerError& proto, Settlement::Outcome outcome) {
  ListenerError error;
  error.code = proto.code() < 1 || proto.code() > kLastCode ? kUnknown : proto.code();
  const bool released = outcome == Settlement::Outcome::kRelease && !proto.code() && proto.reason().empty();
  if (released) error.code = kUnavailable;
  error.reason = proto.reason().empty() ? (released ? "RELEASED" : "REJECTED") : Cut(proto.reason(), 63);
  error.message = Cut(proto.message(), 4096);
  if (released && error.message.empty()) error.message = "the listener handed the event back";
  error.retryable = outcome == Settlement::Outcome::kRetry || outcome == Settlement::Outcome::kRelease;
  size_t bytes = 0;
  for (const auto& [key, value] : proto.metadata()) {
    bytes += key.size() + value.size();
    if (error.metadata.size() == 32 || bytes > 4096) break;
    error.metadata[key] = value;
  }
  return error;
}

absl::Status DecodeRejection(const v1::Rejection& proto, Settlement& out) {
  switch (proto.mode()) {
    case v1::REJECT_MODE_UNSPECIFIED:
    case v1::REJECT_MODE_RETRY:
      out.outcome = Settlement::Outcome::kRetry;
      break;
    case v1::REJECT_MODE_RELEASE:
      out.outcome = Settlement::Outcome::kRelease;
      break;
    case v1::REJECT_MODE_DEAD_LETTER:
      out.outcome = Settlement::Outcome::kDeadLetter;
      break;
    case v1::REJECT_MODE_SKIP:
      out.outcome = Settlement::Outcome::kSkip;
      break;
    default:
      return FieldInvalid("rejection.mode", "must be RETRY, RELEASE, DEAD_LETTER or SKIP");
  }
  out.error = DecodeError(proto.error(), out.outcome);
  if (proto.has_retry_delay()) {
    auto delay = FromProto("rejection.retry_delay", proto.retry_delay());
    if (!delay.ok()) return delay.status();
    if (*delay > std::chrono::hours(24)) return FieldInvalid("rejection.retry_delay", "must be at most 24 h");
    out.retry_delay = *delay;
  }
  return DecodeHookResults(proto.hook_results(), out.hook_results);
}

}  // namespace

absl::StatusOr<std::vector<Settlement>> DecodeSettlements(const v1::Settlements& proto) {
  if (proto.settlements().empty() || proto.settlements_size() > 10'000)
    return FieldInvalid("settlements", "must have 1 .. 10000 entries");
  std::vector<Settlement> settlements;
  settlements.reserve(static_cast<size_t>(proto.settlements_size()));
  for (const v1::Settlement& settlement : proto.settlements()) {
    Settlement& out = settlements.emplace_back();
    out.delivery_id = settlement.delivery_id();
    out.confirm = settlement.confirm();
    absl::Status status;
    switch (settlement.outcome_case()) {
      case v1::Settlement::kAcknowledgement:
        status = DecodeHookResults(settlement.acknowledgement().hook_results(), out.hook_results);
        break;
      case v1::Settlement::kRejection:
        status = DecodeRejection(settlement.rejection(), out);
        break;
      case v1::Settlement::OUTCOME_NOT_SET:
        status = FieldInvalid("settlements.outcome", "must be an acknowledgement or a rejection");
        break;
    }
    if (!status.ok()) return status;
  }
  return settlements;
}

absl::StatusOr<Extension> DecodeExtension(const v1::Extension& proto) {
  Extension extension;
  extension.delivery_id = proto.delivery_id();
  if (proto.has_ack_deadline()) {
    auto deadline = FromProto("extension.ack_deadline", proto.ack_deadline());
    if (!deadline.ok()) return deadline.status();
    if (*deadline != Duration::zero()) extension.ack_deadline = *deadline;
  }
  extension.progress = Cut(proto.progress(), 1024);
  return extension;
}

void EncodePolicy(const DeliveryPolicy& policy, v1::DeliveryPolicy& out) {
  *out.mutable_ack_deadline() = ToProto(policy.ack_deadline);
  *out.mutable_max_ack_extension() = ToProto(policy.max_ack_extension);
  out.set_max_attempts(policy.max_attempts);
  *out.mutable_minimum_backoff() = ToProto(policy.minimum_backoff);
  *out.mutable_maximum_backoff() = ToProto(policy.maximum_backoff);
  out.set_backoff_multiplier(policy.backoff_multiplier);
}

void EncodeListener(const std::string& name, const ListenerRecord& record, v1::Listener& out) {
  const Subscription& subscription = *record.subscription;
  out.set_name(name);
  out.set_state(static_cast<v1::ListenerState>(record.State()));
  out.set_state_reason(record.StateReason());
  out.set_instance_id(record.instance_id);
  out.set_node(record.node);
  out.set_peer(record.peer);
  out.set_session_epoch(record.epoch);
  *out.mutable_create_time() = ToProto(record.create_time);
  *out.mutable_connect_time() = ToProto(record.connect_time);
  if (record.holder) *out.mutable_lease_expire_time() = ToProto(record.holder->lease_end());
  for (int type = event::v1::EventType_MIN + 1; type <= event::v1::EventType_MAX; ++type) {
    if (subscription.event_types() & (1u << type)) out.add_event_types(static_cast<event::v1::EventType>(type));
  }
  out.set_filter(subscription.filter().text());
  EncodePolicy(subscription.policy(), *out.mutable_delivery_policy());
  out.set_ack_floor_sequence(subscription.floor() - 1);
  out.set_last_delivered_sequence(subscription.last_delivered_sequence());
  out.set_backlog(subscription.backlog());
  if (const auto oldest = subscription.OldestUnackedTime()) *out.mutable_oldest_unacked_time() = ToProto(*oldest);
  out.set_in_flight(subscription.window().in_flight());
  out.set_max_in_flight(subscription.max_in_flight());
  out.set_retry_scheduled(subscription.window().in_backoff());
  out.set_dead_letters(subscription.dead_letters());
  if (const auto& last = subscription.last_error()) {
    EncodeError(last->error, *out.mutable_last_error());
    *out.mutable_last_error_time() = ToProto(last->time);
  }
  for (const auto& [key, value] : record.labels) (*out.mutable_labels())[key] = value;
  out.set_etag(record.Etag());
  out.set_ephemeral(record.ephemeral);
  *out.mutable_lease_duration() = ToProto(record.lease);
}

void EncodeIncident(const Incident& incident, v1::ListenerIncident& out) {
  *out.mutable_time() = ToProto(incident.time);
  out.set_kind(incident.kind);
  out.set_message(incident.message);
  out.set_first_sequence(incident.first);
  out.set_last_sequence(incident.last);
  out.set_lost_deliveries(incident.lost);
  out.set_lost_at_least(incident.lost_at_least);
}

}  // namespace pvebus::bus
