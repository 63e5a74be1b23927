#pragma once

#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "bus-service/core/event_log.h"
#include "bus-service/core/gather.h"
#include "bus-service/core/ledger.h"
#include "bus-service/core/limits.h"
#include "bus-service/core/state_log.h"
#include "bus-service/core/timer_queue.h"
#include "sdk/base/clock.h"
#include "sdk/base/log.h"
#include "sdk/base/random.h"

namespace pvebus::bus {

// What is counted over all listeners.
struct Counters {
  uint64_t last_dead_letter_id = 0;
  uint64_t last_replay_number = 0;
};

// What the core's classes share: the outside world as it was injected, and the books. Owned by Bus.
struct Parts {
  const Limits& limits;
  const Clock& clock;
  Random& random;
  EventLog& log;
  Logger& logger;
  TimerQueue& timers;
  Ledger& ledger;
  Gather& gather;
  StateLog& states;
  std::vector<std::weak_ptr<Subscription>>& touched;  // whose progress is to be saved at the end of the turn
  Counters& counters;
  // Events whose publication is being made again; true when a delivery of it has changed meanwhile (Recall).
  absl::flat_hash_map<Sequence, bool>& recalling;
};

}  // namespace pvebus::bus
