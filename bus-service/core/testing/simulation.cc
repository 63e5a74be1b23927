#include "bus-service/core/testing/simulation.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace pvebus::bus {
namespace {

using Outcome = Settlement::Outcome;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kNames = 5;
constexpr uint32_t kAllTypes = 0x3e;

// The middle of every range: no jitter, so that the models need not know it.
class NoJitter final : public Random {
 public:
  uint64_t Next() override { return uint64_t{1} << 63; }
};

Registration Wishes(int index) {
  Registration wishes;
  wishes.listener = "listener-" + std::to_string(index);
  wishes.conflict_policy = ConflictPolicy::kTakeoverForce;
  wishes.event_types = index == 0 ? kAllTypes : kAllTypes & ~(2u << index);
  wishes.max_in_flight = static_cast<uint32_t>(1 + 2 * index);
  // Odd nanoseconds, so that no lease ends together with a deadline.
  wishes.lease = seconds(20) + Duration(7 * index + 1);
  wishes.ephemeral = index == kNames - 1;
  wishes.delivery_policy.ack_deadline = seconds(3 + index);
  wishes.delivery_policy.max_ack_extension = seconds(8);
  wishes.delivery_policy.max_attempts = 2 + static_cast<uint32_t>(index);
  wishes.delivery_policy.minimum_backoff = milliseconds(500);
  wishes.delivery_policy.maximum_backoff = seconds(4);
  return wishes;
}

}  // namespace

Simulation::Simulation(uint64_t seed) : random_(seed), harness_(std::make_unique<NoJitter>()) {
  // Every other bus forgets what it can.
  if (seed % 2 == 0) harness_.limits.max_ledger_bytes = 20'000;
  harness_.log.max_bytes = 300 * 600;
  for (int i = 0; i < kNames; ++i) {
    Name& name = names_.emplace_back();
    name.registration = Wishes(i);
    name.name = name.registration.listener;
    for (int replica = 0; replica < 2; ++replica) {
      name.replicas[replica] = &harness_.Add(name.name);
      name.replicas[replica]->registration = name.registration;
      name.replicas[replica]->registration.instance_id = "instance-" + std::to_string(replica);
    }
  }
}

EventPtr Simulation::EventAt(Sequence sequence) {
  EventPtr found;
  harness_.log.journal().Read(sequence, 1, SIZE_MAX, [&found](const auto& events) { found = events->at(0); });
  return found;
}

const Publication* Simulation::PublicationAt(Sequence sequence) {
  if (harness_.log.held_lookups() > 0 || harness_.log.hold_lookups || harness_.log.hold_reads)
    return harness_.bus.ledger().Find(sequence);
  const Publication* found = nullptr;
  harness_.bus.Find({EventKey::Kind::kSequence, "", sequence}, [&found](auto publication) { found = *publication; });
  return found;
}

void Simulation::Broke(const char* promise, const std::string& what) {
  broken.push_back(absl::StrFormat("%s: %s", promise, what));
}

void Simulation::Step() {
  const uint64_t what = Pick(100);
  if (what < 30) {
    Publish();
  } else if (what < 62) {
    Answer();
  } else if (what < 66) {
    Extend();
  } else if (what < 78) {
    Advance(milliseconds(Pick(10) == 0 ? Pick(8000) : Pick(600)));
  } else if (what < 86) {
    Name& name = PickName();
    // Mostly who is away; now and then the other replica takes over.
    if (!Current(name).session() || Pick(8) == 0) Connect(name, static_cast<int>(Pick(2)));
  } else if (what < 89) {
    Break();
  } else if (what < 94) {
    Name& name = PickName();
    if (Current(name).session()) Current(name).Heartbeat();
  } else if (what < 97) {
    Steer();
  } else if (what < 99) {
    harness_.log.hold_appends = Pick(3) == 0;
    harness_.log.CompleteAppends(harness_.log.hold_appends ? Pick(5) : SIZE_MAX);
    Note("the journal stores%s", harness_.log.hold_appends ? " slowly" : "");
  } else {
    harness_.log.hold_reads = Pick(2) == 0;
    harness_.log.CompleteReads();
    harness_.log.hold_lookups = Pick(3) == 0;
    harness_.log.CompleteLookups();
    Note("the journal reads%s", harness_.log.hold_reads ? " slowly" : "");
  }
  harness_.Flush();
  Observe();
}

void Simulation::Publish() {
  Post post;
  post.id = "e" + std::to_string(++published_);
  post.key = "key-" + std::to_string(Pick(6));
  post.type = static_cast<EventType>(1 + Pick(5));
  if (published_ > 1 && Pick(4) == 0)
    post.parent = "e" + std::to_string(published_ - 1 - std::min<uint64_t>(Pick(20), published_ - 2));
  if (Pick(5) == 0) post.expires_in = milliseconds(1 + Pick(10'000));
  post.wait_policy = static_cast<WaitPolicy>(1 + Pick(3));
  post.wait = milliseconds(Pick(6000));
  if (Pick(8) == 0) post.required = {PickName().name};
  if (Pick(10) == 0) post.id = "e" + std::to_string(1 + Pick(published_));  // perhaps again, perhaps with another body
  const auto outcome = harness_.Publish(post);
  waits_.push_back({outcome, post.wait_policy, harness_.clock.SteadyNow() + post.wait, post.id});
  const bool refused = outcome->done() && !outcome->status.ok();
  ++happened[refused ? "publish refused" : "publish"];
  Note("publish %s key=%s type=%d parent=%s %s%s", post.id, post.key, static_cast<int>(post.type), post.parent,
       post.expires_in ? absl::StrFormat("expires in %d ms ", std::chrono::duration_cast<milliseconds>(*post.expires_in).count())
                       : "",
       refused ? outcome->status.ToString() : "");
}

const ScriptedListener::Received* Simulation::PickReceived(Name& name, bool only_held) {
  const ScriptedListener& listener = Current(name);
  if (!listener.session() || listener.received.empty()) return nullptr;
  const size_t back = std::min<size_t>(listener.received.size(), 12);
  const auto& received = listener.received[listener.received.size() - 1 - Pick(back)];
  return only_held && received.answered ? nullptr : &received;
}

void Simulation::Answer() {
  Name& name = PickName();
  const auto* received = PickReceived(name, Pick(6) != 0);
  if (!received) return;
  static constexpr Outcome kOutcomes[] = {Outcome::kAcknowledge, Outcome::kAcknowledge, Outcome::kAcknowledge,
                                          Outcome::kAcknowledge, Outcome::kRetry,       Outcome::kRetry,
                                          Outcome::kRelease,     Outcome::kDeadLetter,  Outcome::kSkip};
  ScriptedListener& listener = Current(name);
  Settlement settlement =
      listener.SettlementFor(received->delivery.delivery_id + (Pick(50) == 0 ? 1 : 0), kOutcomes[Pick(std::size(kOutcomes))]);
  if (Pick(3) == 0) settlement.retry_delay = milliseconds(Pick(3000));
  Note("%s answers %s (%d) with %d", name.name, received->delivery.event->event_id, received->delivery.event->sequence,
       static_cast<int>(settlement.outcome));
  const ConfirmationStatus expected = name.model->Settle(settlement, harness_.clock.SteadyNow(), harness_.clock.SystemNow());
  const size_t confirmations = listener.confirmations.size();
  listener.Settle(settlement);
  const bool confirmed = listener.confirmations.size() > confirmations;
  if (!confirmed || listener.confirmations[confirmations].status != expected) {
    Broke("BrokeConfirmation", absl::StrFormat("%s expected %d, got %d", name.name, static_cast<int>(expected),
                                               confirmed ? static_cast<int>(listener.confirmations[confirmations].status) : 0));
  }
  ++happened["answer " + std::to_string(static_cast<int>(expected))];
}

void Simulation::Extend() {
  Name& name = PickName();
  const auto* received = PickReceived(name, true);
  if (!received) return;
  std::optional<Duration> deadline;
  if (Pick(2) == 0) deadline = milliseconds(1 + Pick(6000));
  name.model->Extend(received->delivery.delivery_id, deadline, harness_.clock.SteadyNow());
  Current(name).ExtendDelivery(received->delivery.delivery_id, deadline);
  ++happened["extend"];
}

void Simulation::Connect(Name& name, int replica) {
  ScriptedListener& listener = *name.replicas[replica];
  if (listener.session()) return;
  listener.registration.start_position.kind = Pick(2) == 0 ? StartPosition::Kind::kEarliest : StartPosition::Kind::kLatest;
  const bool is_new = !harness_.bus.registry().listeners().contains(name.name) || name.registration.ephemeral;
  if (Current(name).session()) ++happened["takeover"];
  name.current = replica;
  if (is_new) {
    Forget(name);
    name.model =
        std::make_unique<DeliveryModel>(name.name, name.registration.delivery_policy, name.registration.event_types, broken);
    if (listener.registration.start_position.kind == StartPosition::Kind::kEarliest) {
      for (Sequence sequence = harness_.log.first_sequence(); sequence != 0 && sequence <= observed_; ++sequence) {
        const EventPtr event = EventAt(sequence);
        if (name.model->Wants(*event)) name.model->Owe(event);
      }
    }
  }
  Note("%s.%d connects%s", name.name, replica, is_new ? " anew" : "");
  listener.Connect();
  ++happened[is_new ? "connect anew" : "connect"];
}

void Simulation::Break() {
  Name& name = PickName();
  ScriptedListener& listener = Current(name);
  if (!listener.session()) return;
  Note("%s breaks", name.name);
  name.model->LoseSession(harness_.clock.SteadyNow(), harness_.clock.SystemNow(), harness_.limits.max_lost_sessions);
  if (name.registration.ephemeral) Forget(name);
  listener.Break();
  ++happened["break"];
}

void Simulation::Forget(Name& name) {
  name.model = nullptr;
  for (int replica = 0; replica < 2; ++replica) name.seen[replica] = name.replicas[replica]->received.size();
}

void Simulation::Steer() {
  Name& name = PickName();
  Registry& registry = harness_.bus.registry();
  if (!name.model) return;
  ScriptedListener& listener = Current(name);
  switch (Pick(6)) {
    case 0:
      name.model->SetPaused(true);
      registry.Pause(name.name, "", "").IgnoreError();
      Note("%s is paused", name.name);
      ++happened["pause"];
      break;
    case 1:
    case 2:
      name.model->SetPaused(false);
      registry.Resume(name.name, "").IgnoreError();
      Note("%s is resumed", name.name);
      ++happened["resume"];
      break;
    case 3: {
      const Sequence first = std::max<Sequence>(harness_.log.first_sequence(), 1);
      StartPosition position;
      position.kind = StartPosition::Kind::kSequence;
      position.sequence = std::max(first, observed_ + 1 - std::min<Sequence>(Pick(60), observed_));
      Note("%s seeks to %d from %d", name.name, position.sequence, listener.subscription().next_sequence());
      for (Sequence sequence = position.sequence; sequence <= observed_; ++sequence) {
        const EventPtr event = EventAt(sequence);
        if (name.model->Wants(*event)) name.model->MayOwe(event);
      }
      name.model->Seek(position.sequence, listener.subscription().next_sequence());
      harness_.Seek(name.name, position).IgnoreError();
      ++happened["seek"];
      break;
    }
    case 4:
      if (!listener.session()) break;
      name.model->SetWindow(static_cast<uint32_t>(1 + Pick(8)));
      listener.SetWindow(name.model->window());
      ++happened["window"];
      break;
    case 5:
      if (!listener.session()) break;
      Note("%s drains", name.name);
      name.model->Drain();
      listener.Drain();
      ++happened["drain"];
      break;
  }
}

void Simulation::Advance(Duration by) {
  const SteadyTime until = harness_.clock.SteadyNow() + by;
  // From timer to timer: the models must see everything at its moment.
  while (harness_.bus.NextTimer() <= until) {
    harness_.Advance(std::max<Duration>(harness_.bus.NextTimer() - harness_.clock.SteadyNow(), Duration(0)));
    Observe();
  }
  harness_.Advance(until - harness_.clock.SteadyNow());
  Observe();
}

void Simulation::Finish() {
  harness_.log.hold_appends = harness_.log.hold_reads = harness_.log.hold_lookups = false;
  harness_.log.CompleteLookups();
  harness_.log.CompleteAppends();
  harness_.log.CompleteReads();
  harness_.Flush();
  Observe();
  const auto busy = [this] {
    return std::any_of(names_.begin(), names_.end(),
                       [](const Name& name) { return name.model && name.model->Owed() + name.model->PerhapsOwedAgain() > 0; });
  };
  for (int round = 0; round < 2000 && (round < 5 || busy()); ++round) {
    for (Name& name : names_) {
      if (name.model) name.model->SetPaused(false);
      if (name.model) harness_.bus.registry().Resume(name.name, "").IgnoreError();
      harness_.Flush();
      if (!Current(name).session()) Connect(name, name.current);
      Observe();
      Current(name).Heartbeat();
      for (const auto& id : Current(name).Held()) {
        if (!Current(name).session()) break;  // a drain has come to its end
        name.model->Settle(Current(name).SettlementFor(Current(name).Newest(id).delivery.delivery_id, Outcome::kAcknowledge),
                           harness_.clock.SteadyNow(), harness_.clock.SystemNow());
        Current(name).Ack(id);
        Observe();
      }
      if (name.model && Current(name).subscription().backlog() == 0) name.model->Seek(observed_ + 1, observed_ + 1);
    }
    Advance(milliseconds(700));
  }
  for (const Name& name : names_) {
    if (name.model && name.model->Owed() > 0)
      Broke("BrokeAtLeastOnce", absl::StrFormat("%s is still owed %d events", name.name, name.model->Owed()));
    const auto& listeners = harness_.bus.registry().listeners();
    const auto it = listeners.find(name.name);
    if (it != listeners.end() && it->second.subscription->backlog() != 0) {
      const Subscription& subscription = *it->second.subscription;
      Broke("BrokeCounts", absl::StrFormat("%s has a backlog of %d at the end, %d loaded, %d deferred, cursor at %d", name.name,
                                           subscription.backlog(), subscription.window().size(), subscription.window().deferred(),
                                           subscription.next_sequence()));
    }
  }
  for (Sequence sequence = harness_.log.first_sequence(); sequence <= harness_.bus.ledger().last_sequence(); ++sequence) {
    for (const ListenerRow& row : PublicationAt(sequence)->rows) {
      if (!IsFinal(row.state)) Broke("BrokeAtLeastOnce", absl::StrFormat("event %d never ended at %s", sequence, *row.listener));
    }
  }
  Advance(seconds(60));
  for (const Wait& wait : waits_) {
    if (wait.outcome->calls != 1)
      Broke("BrokeGather", absl::StrFormat("%s was answered %d times", wait.event_id, wait.outcome->calls));
  }
}

}  // namespace pvebus::bus
