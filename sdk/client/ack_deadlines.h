#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "sdk/base/clock.h"

namespace pvebus::client {

// When the deliveries that a listener holds need more time: each at half of what is left of its ack deadline, again and again
// until max_ack_extension beyond the first one is used up. Those that wait for a handler count, too: otherwise a full window
// behind slow handlers would come back as duplicates. One thread at a time.
class AckDeadlines {
 public:
  struct Extension {
    uint64_t delivery_id;
    Duration ack_deadline;  // from now
  };

  // The policy in force for what is added from now on.
  void SetPolicy(Duration ack_deadline, Duration max_ack_extension);
  // `left` of the first deadline.
  void Add(uint64_t delivery_id, SteadyTime now, Duration left);
  void Remove(uint64_t delivery_id) { held_.erase(delivery_id); }
  void Clear() { held_.clear(); }
  // No delivery needs more time before this.
  SteadyTime next_due() const { return held_.empty() ? SteadyTime::max() : next_due_; }
  // The extensions to be sent now.
  std::vector<Extension> Due(SteadyTime now);

 private:
  struct Held {
    SteadyTime due;       // of the next extension
    SteadyTime deadline;  // the one in force
    SteadyTime limit;     // no deadline is later
  };

  Duration ack_deadline_{std::chrono::seconds(30)};
  Duration max_ack_extension_{std::chrono::minutes(10)};
  absl::flat_hash_map<uint64_t, Held> held_;
  SteadyTime next_due_ = SteadyTime::max();  // not later than any due time
};

}  // namespace pvebus::client
