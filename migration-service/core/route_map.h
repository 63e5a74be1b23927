#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "migration-service/core/phase.h"

namespace pvebus::migration {

// What came of bringing the route table to a phase.
struct RouteMapUpdate {
  enum class State {
    kCurrent,  // it was so already
    kWritten,  // it is now, and the reverse proxy has it, if it was to be told
    kFailed,   // the last good one is in force; or there was none
  };
  State state = State::kCurrent;
  std::string before;   // the phase of the table that was there; empty: none, or not one of ours
  std::string message;  // for eyes
};

// How the table stands.
struct RouteMapStatus {
  std::string path;
  std::optional<Phase> phase;  // that it was written for, by this process
  std::string error;           // why it is not as it should be; empty: it is
};

// The table by which a reverse proxy routes calls. Any thread; calls that bring it somewhere wait for each other.
class RouteMap {
 public:
  virtual ~RouteMap() = default;

  // Writes what the phase asks for, has it checked, tells the proxy. Whatever fails, the last good table is in force.
  virtual RouteMapUpdate Bring(Phase phase, const std::stop_token& stop) = 0;
  virtual RouteMapStatus status() const = 0;
};

}  // namespace pvebus::migration
