#pragma once

#include "absl/status/status.h"

namespace pvebus::client {

// What the end of a stream means for its listener.
enum class Verdict {
  kReconnect,   // come back
  kNameInUse,   // another instance has the name, or an earlier stream of ours that the bus still believes in
  kSuperseded,  // another instance took the name: coming back would be a tug of war
  kRefused,     // the bus will never have this listener like this
};

Verdict Judge(const absl::Status& status);

}  // namespace pvebus::client
