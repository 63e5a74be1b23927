#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "google/protobuf/struct.pb.h"
#include "pvebus/event/v1/event.pb.h"

namespace pvebus::events {

// The JSON of the original Rust project <-> the payload of a SystemEvent. The envelope (event_id, source, ...) has no place in
// it. Any thread.

// One line, keys in the order of the original's declarations, keys of free data sorted, integers without a fraction:
// {"event":"container_started","id":101}. Requires: the event has a payload. A number that JSON cannot say (NaN) becomes null.
std::string EventToJson(const event::v1::SystemEvent& event);

// INVALID_ARGUMENT EVENT_JSON_INVALID that names the field, what was found and what is allowed. Nothing is lost in silence:
// unknown and repeated keys, integers that a double cannot hold, and nesting that protobuf could not read back are refused.
// An old_config or new_config of null is left absent.
absl::StatusOr<event::v1::SystemEvent> EventFromJson(std::string_view json);

// The same for free data alone, such as the content of a custom event; `field` names it in errors.
absl::StatusOr<google::protobuf::Struct> ObjectFromJson(std::string_view json, std::string_view field);

}  // namespace pvebus::events
