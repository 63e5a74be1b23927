#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/console.h"
#include "pvebus/bus/v1/types.pb.h"
#include "pvebus/event/v1/event.pb.h"

namespace pvebus::cli {

// Which events of the journal: what `watch`, `events` and `replay` have in common.
struct EventSelection {
  std::string filter;
  std::vector<event::v1::EventType> types;
  std::optional<bus::v1::StartPosition> from;
  std::optional<bus::v1::StartPosition> until;

  // A ListEventsRequest, WatchEventsRequest or ReplayEventsRequest. `until` is not in it, as it may need an answer of the bus.
  template <typename Request>
  Request ToRequest() const {
    Request request;
    request.set_filter(filter);
    for (const event::v1::EventType type : types) request.add_event_types(type);
    if (from) *request.mutable_start_position() = *from;
    return request;
  }

  // Both ends are sequences and the wrong way round.
  bool IsBackward() const;
  // The sequence of the last event of the selection. 0 is the newest; nothing when the journal has no event before `until`.
  absl::StatusOr<std::optional<uint64_t>> EndSequence(const GlobalOptions& global) const;
};

// --filter and --type.
void AddEventFilters(CLI::App& command, EventSelection& selection);

// CLI::ValidationError when it is backward.
void CheckDirection(const EventSelection& selection, const std::string& until_option);

}  // namespace pvebus::cli
