#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "bus-service/core/interests.h"
#include "bus-service/core/parts.h"

namespace pvebus::bus {

// Where a listener is in the journal, and which of the events ahead are for it. One thread.
class Cursor {
 public:
  // What is to be done with an event that was read; false: it has not been passed, and the walk ends.
  using Pass = std::function<bool(const EventPtr& event)>;

  // Events up to `born_after` were journaled before the listener existed. Requires: `parts` outlives this.
  Cursor(Parts& parts, Sequence born_after, Sequence next, Interests interests = {});

  Interests& interests() { return interests_; }
  const Interests& interests() const { return interests_; }

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

  // True when the event is, or was when it was journaled, for this listener.
  bool Wants(const Event& event) const;
  // True when the outcome of a wanted event is the publish's: the event is not older than the listener, and not sent again.
  bool Counts(const Event& event) const { return event.sequence > born_after_ && event.sequence >= wanted_again_until_; }

  // Reads on: `pass` sees every event, then `done` is called, during the call or later. At most one read at a time.
  void Read(size_t max_events, size_t max_bytes, Pass pass, std::function<void(const absl::Status&)> done);
  bool reading() const { return reading_ != nullptr; }

  // How many wanted events are in [from, to], expired ones included; true when that follows without reading.
  bool CountsAll(Sequence from) const { return interests_.EverythingSince(from); }
  // Wants() as a function that outlives this.
  std::function<bool(const Event&)> Wish() const;

 private:
  Parts& parts_;
  const Sequence born_after_;
  Interests interests_;
  Sequence next_;
  Sequence wanted_again_until_ = 0;
  std::shared_ptr<int> reading_;  // names the read under way, so that a late one is known
};

}  // namespace pvebus::bus
