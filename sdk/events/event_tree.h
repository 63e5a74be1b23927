#pragma once

#include <nlohmann/json.hpp>

#include "absl/status/statusor.h"
#include "pvebus/event/v1/event.pb.h"

namespace pvebus::events {

// Private to sdk/events: EventFromJson for text that ParseJson has read. Any thread.
absl::StatusOr<event::v1::SystemEvent> EventFromTree(const nlohmann::json& tree);

}  // namespace pvebus::events
