#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "bus-service/core/bus.h"
#include "bus-service/core/event.h"
#include "pvebus/bus/v1/bus_service.pb.h"
#include "pvebus/event/v1/event.pb.h"

namespace pvebus::bus {

// SystemEvent <-> Event. Any thread.

// Checks everything about the event that needs no bus. `event` is consumed: what the bus fills in is taken out of it.
absl::StatusOr<std::shared_ptr<Event>> DecodeEvent(event::v1::SystemEvent& event, const Limits& limits);
// The same for a whole request; `time_left` until the caller's deadline.
absl::StatusOr<PublishCommand> DecodePublish(v1::PublishRequest& request, const Limits& limits, Duration time_left);
// The wait that a request asks for: min(wait_timeout or 10 s, 30 s, time_left - 200 ms).
absl::StatusOr<Duration> DecodeWait(const google::protobuf::Duration* wait_timeout, Duration time_left);

// What follows body on the wire: the fields that the bus fills in, as protobuf merges them (a field's last occurrence wins,
// messages are merged: https://protobuf.dev/programming-guides/encoding/#last-one-wins).
void AppendBusFields(const Event& event, std::string& out);
event::v1::SystemEvent EncodeEvent(const Event& event);

}  // namespace pvebus::bus
