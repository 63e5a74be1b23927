#include "bus-service/core/recall.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "bus-service/core/errors.h"

namespace pvebus::bus {

void Recall::Find(const EventKey& key, Done done) {
  using Kind = EventKey::Kind;
  const Ledger& ledger = parts_.ledger;
  Publication* here = key.kind == Kind::kSequence  ? ledger.Find(key.sequence)
                      : key.kind == Kind::kEventId ? ledger.FindByEventId(key.id)
                                                   : ledger.FindByRequestId(key.id);
  if (here) return done(here);
  const LostRanges& lost = parts_.log.lost();
  if (key.kind == Kind::kSequence && lost.Contains(key.sequence)) {
    const Sequence end = lost.Skip(key.sequence);
    return done(EventLost(key.sequence, {lost.StepBack(end), end - 1}));
  }
  const bool some_lost = key.kind != Kind::kSequence && !lost.empty();
  const std::string name = key.kind == Kind::kSequence ? absl::StrFormat("%d", key.sequence) : key.id;
  const auto found = [this, alive = std::weak_ptr<int>(alive_), name, some_lost,
                      done = std::move(done)](absl::StatusOr<EventPtr> event) {
    if (alive.expired()) return;
    if (!event.ok()) return done(event.status());
    if (!*event || (*event)->sequence > parts_.ledger.journaled_sequence()) return done(EventNotFound(name, some_lost));
    Get(*std::move(event), done);
  };
  switch (key.kind) {
    case Kind::kEventId:
      return parts_.log.FindByEventId(key.id, found);
    case Kind::kRequestId:
      return parts_.log.FindByRequestId(key.id, found);
    case Kind::kSequence:
      break;
  }
  const Sequence first = parts_.log.first_sequence();
  if (first == 0 || key.sequence < first || key.sequence > ledger.journaled_sequence()) return found(EventPtr());
  parts_.log.Read(key.sequence, 1, SIZE_MAX, [found, sequence = key.sequence](absl::StatusOr<std::vector<EventPtr>> events) {
    if (!events.ok()) return found(events.status());
    found(events->empty() || events->front()->sequence != sequence ? EventPtr() : std::move(events->front()));
  });
}

void Recall::Get(EventPtr event, Done done) {
  if (Publication* here = parts_.ledger.Find(event->sequence)) return done(here);
  auto& waiting = waiting_[event->sequence];
  waiting.push_back(std::move(done));
  if (waiting.size() == 1) ReadDeliveries(std::move(event));
}

void Recall::ReadDeliveries(EventPtr event) {
  const Sequence sequence = event->sequence;
  parts_.recalling[sequence] = false;
  parts_.states.ReadDeliveries(
      sequence, [this, alive = std::weak_ptr<int>(alive_), event = std::move(event)](absl::StatusOr<StateLog::Deliveries> read) {
        if (alive.expired()) return;
        const auto recalling = parts_.recalling.find(event->sequence);
        const bool changed = recalling->second;
        parts_.recalling.erase(recalling);
        if (changed && read.ok()) return ReadDeliveries(event);  // what was read is no longer true
        const auto waiting = waiting_.extract(event->sequence);
        const auto publication =
            read.ok() ? absl::StatusOr<Publication*>(&Make(event, *read)) : absl::StatusOr<Publication*>(read.status());
        for (const Done& done : waiting.mapped()) done(publication);
      });
}

template <typename Listener>
void Recall::AddRow(const Listener& listener, const StateLog::Deliveries& deliveries, Publication& made) {
  const auto kept = std::find_if(deliveries.begin(), deliveries.end(),
                                 [id = listener.id()](const auto& delivery) { return delivery.first == id; });
  ListenerRow row;
  if (!listener.Describe(*made.event, kept == deliveries.end() ? nullptr : &kept->second, row)) return;
  row.listener = listener.shared_name();
  const auto& required = made.event->required_listeners;
  row.required = std::find(required.begin(), required.end(), *row.listener) != required.end();
  made.rows.push_back(std::move(row));
}

Publication& Recall::Make(const EventPtr& event, const StateLog::Deliveries& deliveries) {
  auto made = std::make_unique<Publication>();
  made->event = event;
  made->journal_time = parts_.clock.SteadyNow();
  for (const auto& [name, record] : registry_.listeners()) {
    const size_t rows = made->rows.size();
    AddRow(*record.subscription, deliveries, *made);
    if (made->rows.size() > rows) made->rows.back().subscription = record.subscription;
  }
  const size_t present = made->rows.size();
  for (const FormerListener& former : registry_.former_listeners()) AddRow(former, deliveries, *made);
  if (made->rows.size() > present) {
    std::sort(made->rows.begin(), made->rows.end(),
              [](const ListenerRow& a, const ListenerRow& b) { return *a.listener < *b.listener; });
  }
  Publication& publication = parts_.ledger.Recall(std::move(made));
  parts_.gather.Begin(publication);
  recalled_(publication);
  return publication;
}

}  // namespace pvebus::bus
