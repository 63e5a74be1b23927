#pragma once

#include <chrono>
#include <string>

#include "gmock/gmock.h"
#include "pvebus/bus/v1/bus_service.pb.h"
#include "pvebus/bus/v1/listener_service.pb.h"
#include "sdk/base/error.h"

namespace pvebus::testing {

// Short ways to say what tests say often.
event::v1::SystemEvent CustomEvent(const std::string& name);
// Its ordering key is `key`, so that it flows beside events of other keys.
event::v1::SystemEvent KeyedEvent(const std::string& key);
event::v1::SystemEvent ContainerStartedEvent(uint32_t id);
event::v1::SystemEvent ChildOf(const std::string& parent_event_id, event::v1::SystemEvent event);

google::protobuf::Duration ProtoDuration(std::chrono::nanoseconds duration);
google::protobuf::Timestamp ProtoTime(std::chrono::system_clock::time_point time);
std::chrono::nanoseconds FromProto(const google::protobuf::Duration& duration);
std::chrono::system_clock::time_point FromProto(const google::protobuf::Timestamp& time);

// A patient registration: lease 1 min, other fields absent.
bus::v1::Registration RegistrationOf(const std::string& listener);
// Quick retries: backoff 50 ms x 2 up to 200 ms.
bus::v1::Registration QuickRetries(bus::v1::Registration registration, uint32_t max_attempts = 3);

bus::v1::PublishRequest RequestOf(event::v1::SystemEvent event,
                                  bus::v1::WaitPolicy wait_policy = bus::v1::WAIT_POLICY_UNSPECIFIED,
                                  std::chrono::milliseconds wait_timeout = std::chrono::seconds(10));

bus::v1::Rejection RejectionOf(bus::v1::RejectMode mode, int code, const std::string& reason, const std::string& message);

// The row of `listener`; an empty one when there is none.
bus::v1::ListenerResult RowOf(const bus::v1::PublishResult& result, const std::string& listener);

// absl::Status / grpc::Status with this code and ErrorInfo reason.
MATCHER_P2(IsError, code, reason, "") {
  *result_listener << "which is " << arg.ToString();
  return arg.code() == code && ErrorReason(arg) == reason;
}

}  // namespace pvebus::testing
