#pragma once

#include <istream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pvebus/event/v1/event.pb.h"

namespace pvebus::cli {

// Events as they are written on a command line. Every error is INVALID_ARGUMENT (or NOT_FOUND for a file) for eyes.

// `text` itself, the content of a file for "@FILE", or all of `standard_input` for "-".
absl::StatusOr<std::string> ReadSource(const std::string& text, std::istream& standard_input);

// "create:vmbr1", "update:vmbr0:now VLAN-aware".
absl::StatusOr<event::v1::ConfigChange> ParseChange(const std::string& text);

// From the list of changes in the original project's JSON.
absl::StatusOr<event::v1::SystemEvent> EventFromChangesJson(const std::string& json);

absl::StatusOr<event::v1::SystemEvent> NetworkAppliedEvent(const std::vector<std::string>& changes);
absl::StatusOr<event::v1::SystemEvent> MigrationPhaseChangedEvent(const std::string& phase);
// `data` is the JSON of an object, or empty.
absl::StatusOr<event::v1::SystemEvent> CustomEvent(const std::string& name, const std::string& data);

}  // namespace pvebus::cli
