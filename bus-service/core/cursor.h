#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "bus-service/core/filter.h"
#include "bus-service/core/parts.h"

namespace pvebus::bus {

// Where a listener is in the journal, and which of the events ahead are for it. One thread.
class Cursor {
 public:
  // Sees an event that the listener has to settle; `row` is its row of the publication, -1 when its outcome is not that of the
  // publish: the event is older than the listener, or is sent again after a move back. Returning false ends the walk.
  using Visit = std::function<bool(Publication& publication, int row)>;
  using Take = std::function<void(EventPtr event, int row)>;

  // Events up to `born_after` were journaled before the listener existed. Requires: `parts` outlives this.
  Cursor(Parts& parts, std::shared_ptr<const std::string> listener, Sequence born_after, Sequence next);
  ~Cursor();

  void SetInterest(uint32_t event_types, const Filter& filter);
  bool Matches(const Event& event) const;
  const Filter& filter() const { return filter_; }
  uint32_t event_types() const { return event_types_; }

  // The next event to be looked at.
  Sequence next() const { return next_; }
  bool at_end() const { return next_ > parts_.ledger.journaled_sequence(); }
  // Events from before the listener existed are still ahead; they are matched by its present interest.
  bool has_older_ahead() const { return next_ <= born_after_; }
  Sequence born_after() const { return born_after_; }
  Sequence wanted_again_until() const { return wanted_again_until_; }
  void SetWantedAgainUntil(Sequence sequence) { wanted_again_until_ = sequence; }
  void Advance() { ++next_; }
  // What a move back passes is wanted again, settled or not. Ends a read that is under way.
  void MoveTo(Sequence next);

  // Passes what is not wanted, up to the first event that is.
  void SkipUnwanted();
  // True when the event is wanted and has not been passed.
  bool IsAhead(Sequence sequence) const;

  // Walks over the wanted events of [from, to], ascending, without moving.
  void Walk(Sequence from, Sequence to, const Visit& visit) const;
  // Reads on: `take` gets the wanted events, then `done` is called, during the call or later. At most one read at a time.
  void Read(size_t max_events, size_t max_bytes, Take take, std::function<void(const absl::Status&)> done);
  bool reading() const { return reading_ != nullptr; }

 private:
  bool Wants(Publication& publication, int& row) const;

  Parts& parts_;
  const std::shared_ptr<const std::string> listener_;
  const Sequence born_after_;  // events up to here were journaled before the listener existed
  uint32_t event_types_ = 0;   // bit 1 << EventType; 0: all
  Filter filter_;
  Sequence next_;
  Sequence wanted_again_until_ = 0;
  std::shared_ptr<int> reading_;  // names the read under way, so that a late one is known
};

}  // namespace pvebus::bus
