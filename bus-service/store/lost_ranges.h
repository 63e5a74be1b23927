#pragma once

#include <algorithm>
#include <vector>

#include "bus-service/core/state_log.h"

namespace pvebus::bus {

// The events that an operator gave up as lost. Immutable, any thread.
class LostRanges {
 public:
  LostRanges() = default;
  explicit LostRanges(std::vector<Gap> gaps) : gaps_(std::move(gaps)) {
    std::sort(gaps_.begin(), gaps_.end(), [](const Gap& a, const Gap& b) { return a.first < b.first; });
  }

  // The first sequence at or after this one that is not lost.
  Sequence Skip(Sequence sequence) const {
    for (const Gap& gap : gaps_) {
      if (sequence >= gap.first && sequence <= gap.last) sequence = gap.last + 1;
    }
    return sequence;
  }
  bool empty() const { return gaps_.empty(); }

 private:
  std::vector<Gap> gaps_;
};

}  // namespace pvebus::bus
