#include "tests/support/messages.h"

#include <utility>

namespace pvebus::testing {

event::v1::SystemEvent CustomEvent(const std::string& name) {
  event::v1::SystemEvent event;
  event.set_source("test");
  event.mutable_custom()->set_name(name);
  return event;
}

event::v1::SystemEvent KeyedEvent(const std::string& key) {
  auto event = CustomEvent("keyed");
  event.set_ordering_key(key);
  return event;
}

event::v1::SystemEvent ContainerStartedEvent(uint32_t id) {
  event::v1::SystemEvent event;
  event.mutable_container_started()->set_id(id);
  return event;
}

event::v1::SystemEvent ChildOf(const std::string& parent_event_id, event::v1::SystemEvent event) {
  event.mutable_causation()->set_parent_event_id(parent_event_id);
  return event;
}

google::protobuf::Duration ProtoDuration(std::chrono::nanoseconds duration) {
  google::protobuf::Duration proto;
  proto.set_seconds(duration.count() / 1'000'000'000);
  proto.set_nanos(static_cast<int32_t>(duration.count() % 1'000'000'000));
  return proto;
}

google::protobuf::Timestamp ProtoTime(std::chrono::system_clock::time_point time) {
  const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
  google::protobuf::Timestamp proto;
  proto.set_seconds(since / 1'000'000'000);
  proto.set_nanos(static_cast<int32_t>(since % 1'000'000'000));
  return proto;
}

std::chrono::nanoseconds FromProto(const google::protobuf::Duration& duration) {
  return std::chrono::seconds(duration.seconds()) + std::chrono::nanoseconds(duration.nanos());
}

std::chrono::system_clock::time_point FromProto(const google::protobuf::Timestamp& time) {
  return std::chrono::system_clock::time_point(std::chrono::seconds(time.seconds()) + std::chrono::nanoseconds(time.nanos()));
}

bus::v1::Registration RegistrationOf(const std::string& listener) {
  bus::v1::Registration registration;
  registration.set_listener(listener);
  registration.mutable_lease_duration()->set_seconds(60);
  return registration;
}

bus::v1::Registration QuickRetries(bus::v1::Registration registration, uint32_t max_attempts) {
  auto& policy = *registration.mutable_delivery_policy();
  *policy.mutable_minimum_backoff() = ProtoDuration(std::chrono::milliseconds(50));
  *policy.mutable_maximum_backoff() = ProtoDuration(std::chrono::milliseconds(200));
  policy.set_max_attempts(max_attempts);
  return registration;
}

bus::v1::PublishRequest RequestOf(event::v1::SystemEvent event, bus::v1::WaitPolicy wait_policy,
                                  std::chrono::milliseconds wait_timeout) {
  bus::v1::PublishRequest request;
  *request.mutable_event() = std::move(event);
  request.set_wait_policy(wait_policy);
  *request.mutable_wait_timeout() = ProtoDuration(wait_timeout);
  return request;
}

bus::v1::Rejection RejectionOf(bus::v1::RejectMode mode, int code, const std::string& reason, const std::string& message) {
  bus::v1::Rejection rejection;
  rejection.set_mode(mode);
  rejection.mutable_error()->set_code(code);
  rejection.mutable_error()->set_reason(reason);
  rejection.mutable_error()->set_message(message);
  return rejection;
}

bus::v1::ListenerResult RowOf(const bus::v1::PublishResult& result, const std::string& listener) {
  for (const auto& row : result.listener_results()) {
    if (row.listener() == listener) return row;
  }
  return {};
}

}  // namespace pvebus::testing
