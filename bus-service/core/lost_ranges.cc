#include "bus-service/core/lost_ranges.h"

#include <algorithm>

namespace pvebus::bus {

LostRanges::LostRanges(std::vector<Gap> gaps) {
  std::sort(gaps.begin(), gaps.end(), [](const Gap& a, const Gap& b) { return a.first < b.first; });
  for (const Gap& gap : gaps) {
    if (!gaps_.empty() && gap.first <= gaps_.back().last + 1) {
      gaps_.back().last = std::max(gaps_.back().last, gap.last);
    } else {
      gaps_.push_back(gap);
    }
  }
}

std::vector<Gap>::const_iterator LostRanges::FirstEndingAtOrAfter(Sequence sequence) const {
  return std::lower_bound(gaps_.begin(), gaps_.end(), sequence,
                          [](const Gap& gap, Sequence wanted) { return gap.last < wanted; });
}

Sequence LostRanges::Skip(Sequence sequence) const {
  const auto gap = FirstEndingAtOrAfter(sequence);
  return gap != gaps_.end() && gap->first <= sequence ? gap->last + 1 : sequence;
}

Sequence LostRanges::StepBack(Sequence sequence) const {
  const auto gap = FirstEndingAtOrAfter(sequence - 1);
  return sequence > 0 && gap != gaps_.end() && gap->first < sequence ? gap->first : sequence;
}

uint64_t LostRanges::CountIn(Sequence first, Sequence last) const {
  uint64_t count = 0;
  for (auto gap = FirstEndingAtOrAfter(first); gap != gaps_.end() && gap->first <= last; ++gap) {
    count += std::min(gap->last, last) - std::max(gap->first, first) + 1;
  }
  return count;
}

}  // namespace pvebus::bus
