#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "migration-service/core/phase.h"
#include "sdk/base/clock.h"

namespace pvebus::migration {

// A change of phase that somebody wants, as an event tells it. A value.
struct PhaseOrder {
  Phase to = Phase::kPerlOnly;
  std::optional<Phase> from;  // it was decided while this one was in force; nothing: whatever is
  bool force = false;         // further than one step forward, or through closed gates; asks for a reason
  bool automatic = false;     // nobody asked for it: too many calls failed
  std::string reason;
  std::string requested_by;
  std::string event_id;
  SystemTime time{};  // when the bus accepted it

  bool operator==(const PhaseOrder&) const = default;
};

// A change of phase that happened. A value.
struct PhaseChange {
  uint64_t number = 0;  // 1, 2, 3, ...
  Phase from = Phase::kPerlOnly;
  Phase to = Phase::kPerlOnly;
  bool forced = false;
  bool automatic = false;
  std::string reason;
  std::string requested_by;
  std::string event_id;
  SystemTime time{};
  uint64_t transactions = 0;  // network transactions that were applied while `from` was in force

  bool operator==(const PhaseChange&) const = default;
};

}  // namespace pvebus::migration
