#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "pvebus/event/v1/event.pb.h"

namespace pvebus::events {

// The words the original project uses for the values of the contract's enums: `container_started`, `rust-read-only`, `create`.
// Any thread.

// EVENT_TYPE_UNSPECIFIED when the event has no payload.
event::v1::EventType TypeOf(const event::v1::SystemEvent& event);

// Empty for a value that has no name (UNSPECIFIED, or one of a later version).
std::string_view EventTypeName(event::v1::EventType type);
std::string_view MigrationPhaseName(event::v1::MigrationPhase phase);
std::string_view ChangeTypeName(event::v1::ChangeType type);

// In the order of the enum.
const std::vector<std::string>& EventTypeNames();
const std::vector<std::string>& MigrationPhaseNames();
const std::vector<std::string>& ChangeTypeNames();

// The name, with `-` and `_` being equal. INVALID_ARGUMENT that says what is allowed, and which one is probably meant.
absl::StatusOr<event::v1::EventType> ParseEventType(std::string_view name);
absl::StatusOr<event::v1::MigrationPhase> ParseMigrationPhase(std::string_view name);
absl::StatusOr<event::v1::ChangeType> ParseChangeType(std::string_view name);

}  // namespace pvebus::events
