#include "bus-service/core/interests.h"

#include <algorithm>

namespace pvebus::bus {

Interests::Interests(const std::vector<Interest>& kept) {
  for (const Interest& interest : kept) {
    wishes_.push_back({interest.after, interest.event_types, Filter::ParseForEvents(interest.filter).value_or(Filter())});
  }
}

std::vector<Interest> Interests::Kept() const {
  std::vector<Interest> kept;
  for (const Wish& wish : wishes_) kept.push_back({wish.after, wish.event_types, wish.filter.text()});
  return kept;
}

bool Interests::Wish::Matches(const Event& event) const {
  if (event_types != 0 && (event_types & (1u << static_cast<int>(event.type))) == 0) return false;
  return filter.Matches(event);
}

bool Interests::Set(Sequence after, uint32_t event_types, const Filter& filter) {
  if (!wishes_.empty() && wishes_.back().event_types == event_types && wishes_.back().filter.text() == filter.text())
    return false;
  // What was never in force is not history.
  if (!wishes_.empty() && wishes_.back().after == after) wishes_.pop_back();
  wishes_.push_back({after, event_types, filter});
  return true;
}

bool Interests::MatchedThen(const Event& event) const {
  for (auto wish = wishes_.rbegin(); wish != wishes_.rend(); ++wish) {
    if (wish->after < event.sequence) return wish->Matches(event);
  }
  return !wishes_.empty() && wishes_.front().Matches(event);
}

bool Interests::EverythingSince(Sequence from) const {
  if (wishes_.empty()) return false;
  for (auto wish = wishes_.rbegin(); wish != wishes_.rend(); ++wish) {
    if (!wish->everything()) return false;
    if (wish->after < from) return true;
  }
  return true;
}

const Filter& Interests::filter() const {
  static const Filter kEverything;
  return wishes_.empty() ? kEverything : wishes_.back().filter;
}

}  // namespace pvebus::bus
