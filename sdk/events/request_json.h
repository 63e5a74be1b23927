#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "pvebus/event/v1/event.pb.h"

namespace pvebus::events {

// An event that is still to be published, under the id that makes publishing it repeatable. A value.
struct EventRequest {
  std::string request_id;
  event::v1::SystemEvent event;  // payload, source, subject, ordering_key: nothing else has a place in the JSON
};

// How it lies in a file, also one that a shell script writes. Any thread.

// One line, what is empty left out:
// {"request_id":"r1","source":"backup","subject":"101","ordering_key":"container/101","event":{"event":"container_started","id":101}}
// `event` is as EventToJson.
std::string RequestToJson(const EventRequest& request);

// INVALID_ARGUMENT EVENT_JSON_INVALID as EventFromJson, also when request_id is not one (1..128 characters of [A-Za-z0-9._:/-]).
absl::StatusOr<EventRequest> RequestFromJson(std::string_view json);

}  // namespace pvebus::events
