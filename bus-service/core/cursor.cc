#include "bus-service/core/cursor.h"

#include <algorithm>
#include <cassert>

namespace pvebus::bus {

Cursor::Cursor(Parts& parts, Sequence born_after, Sequence next, Interests interests)
    : parts_(parts), born_after_(born_after), interests_(std::move(interests)), next_(next) {}

void Cursor::MoveTo(Sequence next) {
  if (next < next_) wanted_again_until_ = std::max(wanted_again_until_, next_);
  next_ = next;
  reading_ = nullptr;
}

bool Cursor::Wants(const Event& event) const {
  return event.sequence <= born_after_ ? interests_.Matches(event) : interests_.MatchedThen(event);
}

std::function<bool(const Event&)> Cursor::Wish() const {
  return [interests = interests_, born_after = born_after_](const Event& event) {
    return event.sequence <= born_after ? interests.Matches(event) : interests.MatchedThen(event);
  };
}

void Cursor::Read(size_t max_events, size_t max_bytes, Pass pass, std::function<void(const absl::Status&)> done) {
  assert(!reading_);
  reading_ = std::make_shared<int>();
  parts_.log.Read(next_, max_events, max_bytes,
                  [this, read = std::weak_ptr<int>(reading_), pass = std::move(pass),
                   done = std::move(done)](const absl::StatusOr<std::vector<EventPtr>>& events) {
                    if (read.expired()) return;  // the cursor has moved, or is gone
                    reading_ = nullptr;
                    if (!events.ok()) return done(events.status());
                    const Sequence last = parts_.ledger.journaled_sequence();
                    if (events->empty()) next_ = std::max(next_, last + 1);
                    for (const EventPtr& event : *events) {
                      if (event->sequence > last) break;  // stored, but nobody has been told yet: OnJournaled comes
                      if (!pass(event)) break;
                      next_ = event->sequence + 1;
                    }
                    done(absl::OkStatus());
                  });
}

}  // namespace pvebus::bus
