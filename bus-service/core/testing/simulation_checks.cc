#include <algorithm>

#include "absl/strings/str_format.h"
#include "bus-service/core/testing/simulation.h"

namespace pvebus::bus {

void Simulation::Observe() {
  ObserveJournal();
  harness_.Advance(Duration(0));  // what is due now has happened
  const SteadyTime now = harness_.clock.SteadyNow();
  for (Name& name : names_) {
    if (name.model) name.model->TimePasses(now, harness_.clock.SystemNow());
  }
  for (Name& name : names_) ObserveEnds(name);
  for (Name& name : names_) ObserveFrames(name);
  CheckRows();
  CheckCounts();
  CheckProgress();
  CheckWaits();
}

void Simulation::ObserveJournal() {
  while (observed_ < harness_.bus.journaled_sequence()) {
    const EventPtr event = EventAt(++observed_);
    events_[event->event_id] = event;
    std::vector<std::string> matched;
    for (Name& name : names_) {
      if (!name.model || !name.model->Wants(*event)) continue;
      name.model->Owe(event);
      matched.push_back(name.name);
    }
    const Publication* publication = PublicationAt(observed_);
    if (!publication) continue;
    std::vector<std::string> rows;
    for (const ListenerRow& row : publication->rows) {
      const bool went_away = row.error && row.error->reason == "REQUIRED_LISTENER_MISSING";
      if (!went_away) rows.push_back(*row.listener);
    }
    if (rows != matched)
      Broke("BrokeMatchedOnce", absl::StrFormat("event %d has %d rows instead of %d", observed_, rows.size(), matched.size()));
  }
}

void Simulation::ObserveEnds(Name& name) {
  // The model of an ephemeral listener was made for its new session already.
  for (int replica = 0; replica < 2; ++replica) {
    const ScriptedListener& listener = *name.replicas[replica];
    const bool is_new = listener.registered.size() > name.registered[replica];
    const bool superseded = is_new && !listener.registered.back().superseded_instance_id.empty();
    const bool ended_by_itself = name.model && name.model->connected() && !Current(name).session();
    if ((superseded && !name.registration.ephemeral) || ended_by_itself) {
      name.model->LoseSession(harness_.clock.SteadyNow(), harness_.clock.SystemNow(), harness_.limits.max_lost_sessions);
      Note("the session of %s ended", name.name);
      ++happened["session ended"];
      if (ended_by_itself && name.registration.ephemeral) Forget(name);
    }
    name.registered[replica] = listener.registered.size();
    if (is_new && name.model) name.model->BeginSession(listener.registered.back().max_in_flight);
  }
}

void Simulation::ObserveFrames(Name& name) {
  for (int replica = 0; replica < 2; ++replica) {
    const auto& received = name.replicas[replica]->received;
    for (size_t& seen = name.seen[replica]; seen < received.size(); ++seen) {
      Note("%s gets %s (%d)", name.name, received[seen].delivery.event->event_id, received[seen].delivery.event->sequence);
      if (name.model) name.model->Sent(received[seen].delivery, received[seen].time);
      ++happened["delivery"];
    }
  }
}

void Simulation::CheckRows() {
  for (Sequence sequence = harness_.log.first_sequence(); sequence != 0 && sequence <= observed_; ++sequence) {
    // Of those that are not in memory, another few each time.
    constexpr Sequence kSpread = 61;
    if (!harness_.bus.ledger().Find(sequence) && ++looked_at_ % kSpread != 0) continue;
    const Publication* publication = PublicationAt(sequence);
    if (!publication) continue;
    uint32_t open = 0, unsettled = 0;
    for (const ListenerRow& row : publication->rows) {
      open += row.open;
      unsettled += !IsFinal(row.state);
      CheckOutcome(sequence, row, publication->recalled);
    }
    if (open != publication->open_rows || unsettled != publication->unsettled_rows) {
      Broke("BrokeCounts", absl::StrFormat("event %d counts %d open and %d unsettled rows, there are %d and %d", sequence,
                                           publication->open_rows, publication->unsettled_rows, open, unsettled));
    }
  }
}

void Simulation::CheckOutcome(Sequence sequence, const ListenerRow& row, bool recalled) {
  const auto name = std::find_if(names_.begin(), names_.end(), [&row](const Name& one) { return one.name == *row.listener; });
  // The row of an earlier one of that name has ended with it.
  const auto now = harness_.bus.registry().listeners().find(name->name);
  if (now == harness_.bus.registry().listeners().end() || row.subscription.lock() != now->second.subscription) return;
  // What is sent again after a move back has its outcome from the first time.
  if (!name->model || name->model->moved_back() || !name->model->deliveries().contains(sequence)) return;
  const auto& delivery = name->model->deliveries().at(sequence);
  const bool done = delivery.state == DeliveryModel::State::kDone;
  if (done ? row.state == delivery.outcome : !IsFinal(row.state)) return;
  // What an operator moved the listener past is known as a range: of an event in it that had expired by then, that is forgotten.
  if (recalled && delivery.outcome == DeliveryState::kExpired && row.state == DeliveryState::kSkipped) return;
  Broke("BrokeResult", absl::StrFormat("event %d is %d at %s, expected %d%s", sequence, static_cast<int>(row.state), name->name,
                                       done ? static_cast<int>(delivery.outcome) : 0, recalled ? " (recalled)" : ""));
}

void Simulation::CheckCounts() {
  for (const Name& name : names_) {
    const auto it = harness_.bus.registry().listeners().find(name.name);
    if ((it != harness_.bus.registry().listeners().end()) != (name.model != nullptr)) {
      Broke("BrokeCounts", name.name + (name.model ? " is not known to the bus" : " should be forgotten"));
    }
    if (!name.model || it == harness_.bus.registry().listeners().end()) continue;
    const Subscription& subscription = *it->second.subscription;
    // What had expired before it was counted is found out when it is passed.
    const uint64_t expired = name.model->ExpiredFrom(subscription.next_sequence());
    const uint64_t most = name.model->Owed() + name.model->PerhapsOwedAgain() + expired;
    // While the journal counts it is too low.
    const uint64_t least = harness_.log.held_lookups() > 0 ? 0 : name.model->Owed();
    if (subscription.backlog() < least || subscription.backlog() > most) {
      Broke("BrokeCounts",
            absl::StrFormat("%s has a backlog of %d, expected %d .. %d", name.name, subscription.backlog(), least, most));
    }
    const auto check = [&](const char* what, uint64_t has, DeliveryModel::State state) {
      if (has != name.model->Count(state))
        Broke("BrokeCounts", absl::StrFormat("%s has %d %s, expected %d", name.name, has, what, name.model->Count(state)));
    };
    check("in flight", subscription.window().in_flight(), DeliveryModel::State::kInFlight);
    check("to be retried", subscription.window().in_backoff(), DeliveryModel::State::kBackoff);
  }
}

void Simulation::CheckProgress() {
  if (harness_.log.held_reads() > 0) return;
  for (const Name& name : names_) {
    if (!name.model) continue;
    for (const Sequence sequence : name.model->Overdue(events_)) {
      Broke("BrokeProgress", absl::StrFormat("%s could have event %d and does not get it", name.name, sequence));
    }
  }
}

void Simulation::CheckWaits() {
  const SteadyTime now = harness_.clock.SteadyNow();
  for (const Wait& wait : waits_) {
    const Publication* const publication = harness_.bus.ledger().FindByEventId(wait.event_id);
    const bool journaled = publication && publication->journaled;
    if (!wait.outcome->done()) {
      if (harness_.log.held_lookups() > 0) continue;  // it may be a repetition, and the journal is asked
      if (now > wait.until && journaled) Broke("BrokeGather", wait.event_id + " is not answered in time");
      bool all_settled = journaled, all_answered = journaled;
      for (const Name& name : names_) {
        if (!journaled || !name.model || !name.model->deliveries().contains(publication->event->sequence)) continue;
        const auto& delivery = name.model->deliveries().at(publication->event->sequence);
        all_settled &= delivery.state == DeliveryModel::State::kDone;
        all_answered &= delivery.state == DeliveryModel::State::kDone || delivery.answered;
      }
      if (all_settled || (all_answered && wait.policy == WaitPolicy::kFirstAttempt) ||
          (journaled && wait.policy == WaitPolicy::kDurable)) {
        Broke("BrokeGather", wait.event_id + " has nothing to wait for and is not answered");
      }
      continue;
    }
    if (wait.outcome->calls > 1) Broke("BrokeGather", wait.event_id + " is answered twice");
    if (!wait.outcome->status.ok() || wait.outcome->time >= wait.until || wait.outcome->time != now) continue;
    for (const auto& row : wait.outcome->rows) {
      if (wait.policy == WaitPolicy::kSettled && !IsFinal(row.state))
        Broke("BrokeGather", wait.event_id + " was answered before it was settled");
      if (wait.policy == WaitPolicy::kFirstAttempt && row.reason == "NO_ANSWER_YET") {
        Broke("BrokeGather", wait.event_id + " was answered before " + row.listener + " had answered");
      }
    }
  }
  std::erase_if(waits_, [](const Wait& wait) { return wait.outcome->calls == 1 && !wait.outcome->status.ok(); });
}

}  // namespace pvebus::bus
