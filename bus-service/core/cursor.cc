#include "bus-service/core/cursor.h"

#include <algorithm>
#include <cassert>

namespace pvebus::bus {

Cursor::Cursor(Parts& parts, std::shared_ptr<const std::string> listener, Sequence born_after, Sequence next)
    : parts_(parts), listener_(std::move(listener)), born_after_(born_after), next_(next) {}

Cursor::~Cursor() = default;

void Cursor::SetInterest(uint32_t event_types, const Filter& filter) {
  event_types_ = event_types;
  filter_ = filter;
}

bool Cursor::Matches(const Event& event) const {
  if (event_types_ != 0 && (event_types_ & (1u << static_cast<int>(event.type))) == 0) return false;
  return filter_.Matches(event);
}

void Cursor::MoveTo(Sequence next) {
  if (next < next_) wanted_again_until_ = std::max(wanted_again_until_, next_);
  next_ = next;
  reading_ = nullptr;
}

bool Cursor::Wants(Publication& publication, int& row) const {
  row = -1;
  const Sequence sequence = publication.event->sequence;
  if (sequence <= born_after_) return !publication.expired && Matches(*publication.event);
  const ListenerRow* const found = publication.FindRow(listener_);
  if (!found) return false;
  if (IsFinal(found->state)) return sequence < wanted_again_until_ && !publication.expired;
  row = static_cast<int>(found - publication.rows.data());
  return true;
}

void Cursor::SkipUnwanted() {
  int row = -1;
  while (!reading_ && !at_end()) {
    Publication* publication = parts_.ledger.Find(next_);
    if (publication && Wants(*publication, row)) return;
    ++next_;
  }
}

bool Cursor::IsAhead(Sequence sequence) const {
  if (sequence < next_) return false;
  Publication* publication = parts_.ledger.Find(sequence);
  int row = -1;
  return publication && Wants(*publication, row);
}

void Cursor::Walk(Sequence from, Sequence to, const Visit& visit) const {
  const Sequence last = std::min(to, parts_.ledger.journaled_sequence());
  for (Sequence sequence = std::max(from, parts_.ledger.first_sequence()); sequence <= last; ++sequence) {
    Publication* publication = parts_.ledger.Find(sequence);
    int row = -1;
    if (publication && Wants(*publication, row) && !visit(*publication, row)) return;
  }
}

void Cursor::Read(size_t max_events, size_t max_bytes, Take take, std::function<void(const absl::Status&)> done) {
  assert(!reading_);
  reading_ = std::make_shared<int>();
  parts_.log.Read(next_, max_events, max_bytes,
                  [this, read = std::weak_ptr<int>(reading_), take = std::move(take),
                   done = std::move(done)](absl::StatusOr<std::vector<EventPtr>> events) {
                    if (read.expired()) return;  // the cursor has moved, or is gone
                    reading_ = nullptr;
                    if (!events.ok()) {
                      parts_.logger.Error("journal_read_failed listener=%s sequence=%d error=\"%s\"", *listener_, next_,
                                          events.status().ToString());
                      return done(events.status());
                    }
                    const Sequence last = parts_.ledger.journaled_sequence();
                    if (events->empty()) next_ = last + 1;
                    for (EventPtr& event : *events) {
                      if (event->sequence > last) break;  // stored, but nobody has been told yet: OnJournaled comes
                      next_ = event->sequence + 1;
                      Publication* publication = parts_.ledger.Find(event->sequence);
                      int row = -1;
                      if (publication && Wants(*publication, row)) take(std::move(event), row);
                    }
                    done(absl::OkStatus());
                  });
}

}  // namespace pvebus::bus
