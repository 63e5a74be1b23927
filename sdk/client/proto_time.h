#pragma once

#include <chrono>

#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "sdk/base/clock.h"

namespace pvebus::client {

// The times of the contract and ours. What does not fit is clamped. Any thread.
google::protobuf::Duration ToProto(Duration duration);
google::protobuf::Timestamp ToProto(SystemTime time);
Duration FromProto(const google::protobuf::Duration& duration);
SystemTime FromProto(const google::protobuf::Timestamp& time);

}  // namespace pvebus::client
