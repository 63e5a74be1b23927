#pragma once

#include <cstdint>
#include <vector>

#include "bus-service/core/filter.h"
#include "bus-service/core/state_log.h"

namespace pvebus::bus {

// What a listener wants, and wanted when: whom an event was for is decided when it is journaled, and follows from this for ever
// after. One thread.
class Interests {
 public:
  Interests() = default;
  // What a journal kept, ascending. A filter that this bus cannot read any more wants everything: too much is better than too
  // little.
  explicit Interests(const std::vector<Interest>& kept);

  // For events after a sequence. False when that is what it wants already.
  bool Set(Sequence after, uint32_t event_types, const Filter& filter);

  bool Matches(const Event& event) const { return !wishes_.empty() && wishes_.back().Matches(event); }
  // As it was when the event was journaled.
  bool MatchedThen(const Event& event) const;
  // Wants, now and for events from `from` on, every event there is.
  bool EverythingSince(Sequence from) const;

  // As the constructor takes it.
  std::vector<Interest> Kept() const;

  uint32_t event_types() const { return wishes_.empty() ? 0 : wishes_.back().event_types; }
  const Filter& filter() const;

 private:
  struct Wish {
    Sequence after;
    uint32_t event_types;
    Filter filter;

    bool Matches(const Event& event) const;
    bool everything() const { return event_types == 0 && filter.text().empty(); }
  };

  std::vector<Wish> wishes_;
};

}  // namespace pvebus::bus
