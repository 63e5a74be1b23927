#pragma once

#include <vector>

#include "bus-service/core/event.h"

namespace pvebus::bus {

// The events that an operator gave up as lost, so that a damaged journal could go on. Immutable, any thread.
class LostRanges {
 public:
  LostRanges() = default;
  explicit LostRanges(std::vector<Gap> gaps);

  bool empty() const { return gaps_.empty(); }
  bool Contains(Sequence sequence) const { return Skip(sequence) != sequence; }
  // The first sequence at or after this one that is not lost.
  Sequence Skip(Sequence sequence) const;
  // The first of the lost events right before this one; this one when there are none.
  Sequence StepBack(Sequence sequence) const;
  // How many in [first, last] are lost.
  uint64_t CountIn(Sequence first, Sequence last) const;

 private:
  std::vector<Gap>::const_iterator FirstEndingAtOrAfter(Sequence sequence) const;

  std::vector<Gap> gaps_;  // ascending; there is something between any two
};

}  // namespace pvebus::bus
