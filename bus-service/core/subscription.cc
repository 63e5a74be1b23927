#include "bus-service/core/subscription.h"

#include <algorithm>
#include <cassert>

#include "absl/strings/str_format.h"
#include "bus-service/core/row_errors.h"
#include "bus-service/core/session.h"

namespace pvebus::bus {
namespace {

using State = WindowEntry::State;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr int kAborted = 10;
constexpr Duration kNormalWait = std::chrono::seconds(1);  // a listener is not called blocked for less

}  // namespace

Subscription::Subscription(Parts& parts, std::string name, ListenerId id, Sequence next_sequence)
    : parts_(parts),
      name_(std::make_shared<const std::string>(std::move(name))),
      id_(id),
      instance_id_(std::make_shared<const std::string>()),
      cursor_(parts, parts.ledger.journaled_sequence(), next_sequence),
      backlog_(parts, cursor_),
      replays_(parts, id) {}

void Subscription::Configure(const Registration& registration) {
  const bool first = !configured_;
  configured_ = true;
  const Sequence after = parts_.ledger.journaled_sequence();
  const bool changed = cursor_.interests().Set(after, registration.event_types, registration.filter);
  policy_ = registration.delivery_policy;
  max_in_flight_ = registration.max_in_flight;
  if (cursor_.has_older_ahead() && (changed || first)) backlog_.Recount();
  if (id_ == 0) return;
  if (changed) parts_.states.SaveInterest(id_, {after, registration.event_types, registration.filter.text()});
  Touch();
  // Before the listener itself is saved: a commit that falls between the two must not show one without progress.
  if (first) SaveProgress();
}

void Subscription::Attach(Session& session, std::shared_ptr<const std::string> instance_id, Sequence caught_up_target) {
  assert(session_ == nullptr);
  session_ = &session;
  instance_id_ = std::move(instance_id);
  sending_ = true;
  caught_up_target_ = caught_up_target;
  caught_up_due_ = true;
  parts_.gather.AvailabilityChanged(*this);
  Fill();
  WakeSession();
}

void Subscription::Detach(Leave leave) {
  session_ = nullptr;
  sending_ = false;
  std::vector<Slot> in_flight;
  for (const auto& [slot, entry] : window_.entries()) {
    window_.ForgetDeliveryIds(*entry);
    if (entry->state == State::kInFlight) in_flight.push_back(slot);
  }
  for (const Slot slot : in_flight) {
    WindowEntry& entry = *window_.Find(slot);
    if (leave == Leave::kLost) {
      RememberFailure(entry, {kAborted, "SESSION_LOST", "the listener was lost while it had the event", {}, true});
    }
    --entry.attempt;
    if (!entry.replay && HasExpired(*entry.event, parts_.clock.SystemNow())) {
      Finish(entry, DeliveryState::kExpired, ExpiredError(), {});
      continue;
    }
    if (leave == Leave::kLost && ++entry.lost_sessions >= parts_.limits.max_lost_sessions) {
      Finish(entry, DeliveryState::kDeadLettered,
             ListenerError{kAborted,
                           "LOST_SESSIONS",
                           absl::StrFormat("the listener was lost %d times while it had this event", entry.lost_sessions),
                           {},
                           false},
             {});
      continue;
    }
    window_.SetState(entry, State::kReady);
    if (entry.lost_sessions > 0 && !entry.replay) SaveOutcome(Outcome(entry, DeliveryState::kQueued, std::nullopt, {}));
    SetRowState(entry, DeliveryState::kQueued);
    LeftFlight(slot);
  }
  parts_.gather.AvailabilityChanged(*this);
}

void Subscription::StopSending() {
  sending_ = false;
  parts_.gather.AvailabilityChanged(*this);
}

void Subscription::SetMaxInFlight(uint32_t max_in_flight) {
  max_in_flight_ = max_in_flight;
  Fill();
  WakeSession();
}

void Subscription::SetPaused(bool paused) {
  if (paused_ == paused) return;
  paused_ = paused;
  parts_.gather.AvailabilityChanged(*this);
  Fill();
  WakeSession();
}

Sequence Subscription::BusyWithAncestor(const Event& event) const {
  if (window_.in_flight() == 0) return 0;
  for (auto ancestor = event.ancestors.rbegin(); ancestor != event.ancestors.rend(); ++ancestor) {
    const WindowEntry* entry = window_.Find(*ancestor);
    if (entry && entry->state == State::kInFlight) return *ancestor;
  }
  return 0;
}

ListenerRow* Subscription::RowOf(const WindowEntry& entry, Publication*& publication) const {
  if (!entry.counts) return nullptr;
  publication = parts_.ledger.Find(entry.event->sequence);
  return publication ? publication->FindRow(name_) : nullptr;
}

void Subscription::SetRowState(const WindowEntry& entry, DeliveryState state) {
  Publication* publication = nullptr;
  ListenerRow* row = RowOf(entry, publication);
  if (!row) return;
  row->attempt = entry.attempt;
  parts_.gather.SetState(*publication, *row, state);
}

void Subscription::TakeDeliveries(size_t max_bytes, std::vector<OutgoingDelivery>& out) {
  size_t bytes = 0;
  const SystemTime now = parts_.clock.SystemNow();
  const SteadyTime steady_now = parts_.clock.SteadyNow();
  while (available() && window_.in_flight() < max_in_flight_) {
    WindowEntry* entry = window_.NextReady();
    if (!entry) {
      if (!Fill()) break;
      continue;
    }
    if (HasExpired(*entry->event, now) && !entry->replay) {
      Finish(*entry, DeliveryState::kExpired, ExpiredError(), {});
      continue;
    }
    bytes += entry->event->Bytes();
    if (!out.empty() && bytes > max_bytes) break;
    Send(*entry, now, steady_now, out);
  }
}

void Subscription::Send(WindowEntry& entry, SystemTime now, SteadyTime steady_now, std::vector<OutgoingDelivery>& out) {
  ++entry.attempt;
  entry.sent_time = steady_now;
  entry.due = entry.sent_time + policy_.ack_deadline;
  entry.latest_due = entry.due + policy_.max_ack_extension;
  window_.SetState(entry, State::kInFlight);
  window_.AddDeliveryId(entry, session_->NextDeliveryId());
  last_delivered_ = std::max(last_delivered_, entry.event->sequence);
  CheckAt(entry.due);
  Publication* publication = nullptr;
  if (ListenerRow* row = RowOf(entry, publication)) {
    row->attempt = entry.attempt;
    if (row->instance_id != instance_id_) row->instance_id = instance_id_;
    parts_.gather.SetState(*publication, *row, DeliveryState::kInFlight);
  }
  const uint64_t all = backlog();
  out.push_back({entry.delivery_id, entry.event, entry.attempt, policy_.max_attempts,
                 now + duration_cast<SystemTime::duration>(policy_.ack_deadline),
                 all - std::min<uint64_t>(all, window_.in_flight()), entry.replay ? entry.replay->replay_id : std::string(),
                 entry.replay && entry.replay->dry_run});
}

std::optional<Sequence> Subscription::TakeCaughtUp() {
  if (!caught_up_due_ || !available() || cursor_.next() <= caught_up_target_) return std::nullopt;
  for (const auto& [sequence, entry] : window_.entries()) {
    if (sequence > caught_up_target_) break;
    if (entry->state != State::kInFlight && entry->attempt == 0) return std::nullopt;
  }
  caught_up_due_ = false;
  return caught_up_target_;
}

ConfirmationStatus Subscription::Settle(const Settlement& settlement) {
  using Outcome = Settlement::Outcome;
  WindowEntry* entry = window_.FindDelivery(settlement.delivery_id);
  if (!entry) return ConfirmationStatus::kUnknownDelivery;
  const bool late = entry->state != State::kInFlight || entry->delivery_id != settlement.delivery_id;
  switch (settlement.outcome) {
    case Outcome::kAcknowledge:
      Finish(*entry, DeliveryState::kSucceeded, std::nullopt, settlement.hook_results);
      break;
    case Outcome::kDeadLetter:
      RememberFailure(*entry, settlement.error);
      Finish(*entry, DeliveryState::kDeadLettered, settlement.error, settlement.hook_results);
      break;
    case Outcome::kSkip:
      RememberFailure(*entry, settlement.error);
      Finish(*entry, DeliveryState::kSkipped, settlement.error, settlement.hook_results);
      break;
    case Outcome::kRetry:
      if (late) return ConfirmationStatus::kAlreadySettled;  // that attempt has failed already
      Failed(*entry, settlement.error, settlement.retry_delay, settlement.hook_results);
      break;
    case Outcome::kRelease:
      if (late) return ConfirmationStatus::kAlreadySettled;
      Released(*entry, settlement.error, settlement.retry_delay);
      break;
  }
  return late ? ConfirmationStatus::kAcceptedLate : ConfirmationStatus::kAccepted;
}

void Subscription::GoOn() {
  Fill();
  WakeSession();
}

bool Subscription::Extend(const Extension& extension) {
  WindowEntry* entry = window_.FindDelivery(extension.delivery_id);
  if (!entry || entry->state != State::kInFlight || entry->delivery_id != extension.delivery_id) return false;
  const SteadyTime wanted = parts_.clock.SteadyNow() + extension.ack_deadline.value_or(policy_.ack_deadline);
  entry->due = std::min(wanted, entry->latest_due);
  CheckAt(entry->due);
  return true;
}

std::string Subscription::BlockedReason() const {
  if (!available() || backlog() <= window_.in_flight()) return {};
  const Duration write_age = session_->WriteAge();
  if (write_age > kNormalWait) {
    return absl::StrFormat("it has not read what was sent for %d ms", duration_cast<milliseconds>(write_age).count());
  }
  if (window_.in_flight() >= max_in_flight_) {
    SteadyTime oldest = SteadyTime::max();
    for (const auto& [sequence, entry] : window_.entries()) {
      if (entry->state == State::kInFlight) oldest = std::min(oldest, entry->sent_time);
    }
    const Duration age = parts_.clock.SteadyNow() - oldest;
    if (age < kNormalWait) return {};
    return absl::StrFormat("its window is full: %d deliveries are unanswered, the oldest for %d ms", window_.in_flight(),
                           duration_cast<milliseconds>(age).count());
  }
  if (window_.size() >= WindowCapacity() && window_.in_backoff() > 0) {
    return absl::StrFormat("%d events wait behind %d that are being retried", backlog() - window_.in_backoff(),
                           window_.in_backoff());
  }
  return {};
}

void Subscription::WakeSession() {
  if (session_) session_->Wake();
}

}  // namespace pvebus::bus
