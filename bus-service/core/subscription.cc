#include "bus-service/core/subscription.h"

#include <algorithm>
#include <cassert>

#include "absl/strings/str_format.h"
#include "bus-service/core/session.h"

namespace pvebus::bus {
namespace {

using State = WindowEntry::State;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr int kDeadlineExceeded = 4;
constexpr int kAborted = 10;
constexpr size_t kShortMessage = 200;
constexpr Duration kNormalWait = std::chrono::seconds(1);        // a listener is not called blocked for less
constexpr Duration kLongestRetryDelay = std::chrono::hours(24);  // that a listener may ask for
constexpr Duration kReadAgainAfter = std::chrono::seconds(1);

bool HasExpired(const Event& event, SystemTime now) { return event.expire_time && *event.expire_time <= now; }

ListenerError ExpiredError() {
  return {kDeadlineExceeded, "EVENT_EXPIRED", "the event's expire_time passed before it was handled", {}, false};
}

}  // namespace

Subscription::Subscription(Parts& parts, std::string name, ListenerId id, Sequence next_sequence)
    : parts_(parts),
      name_(std::make_shared<const std::string>(std::move(name))),
      id_(id),
      instance_id_(std::make_shared<const std::string>()),
      cursor_(parts, name_, parts.ledger.journaled_sequence(), next_sequence) {}

Subscription::Subscription(Parts& parts, const Recovery::Listener& kept)
    : parts_(parts),
      name_(std::make_shared<const std::string>(kept.snapshot.name)),
      id_(kept.id),
      policy_(kept.snapshot.policy),
      max_in_flight_(kept.snapshot.max_in_flight),
      paused_(kept.snapshot.paused),
      instance_id_(std::make_shared<const std::string>(kept.snapshot.instance_id)),
      cursor_(parts, name_, kept.snapshot.born_after, kept.progress.next_sequence) {
  cursor_.SetWantedAgainUntil(kept.progress.wanted_again_until);
  if (kept.interests.empty()) return;
  // A filter that this bus cannot read any more wants everything: too much is better than too little.
  cursor_.SetInterest(kept.interests.back().event_types, Filter::ParseForEvents(kept.interests.back().filter).value_or(Filter()));
}

void Subscription::RestoreWindow(const Recovery::Listener& kept) {
  auto record = kept.deliveries.begin();
  for (const Sequence sequence : kept.progress.unsettled) {
    Publication* publication = parts_.ledger.Find(sequence);
    if (!publication) continue;
    while (record != kept.deliveries.end() && record->sequence < sequence) ++record;
    const bool recorded = record != kept.deliveries.end() && record->sequence == sequence;
    // Its end was saved, but not the progress that says so too; unless an operator went back to it.
    if (recorded && IsFinal(record->state) && sequence >= kept.progress.wanted_again_until) continue;
    const ListenerRow* row = publication->FindRow(name_);
    const bool row_counts = row && !IsFinal(row->state);
    WindowEntry& entry = Load(publication->event, row_counts ? static_cast<int>(row - publication->rows.data()) : -1);
    if (!recorded || IsFinal(record->state)) continue;
    entry.attempt = record->attempt;
    entry.lost_sessions = record->lost_sessions;
    if (record->state != DeliveryState::kRetryScheduled) continue;
    const auto left = duration_cast<Duration>(record->next_attempt_time - parts_.clock.SystemNow());
    entry.due =
        parts_.clock.SteadyNow() + std::clamp(left, Duration::zero(), std::max(policy_.maximum_backoff, kLongestRetryDelay));
    window_.SetState(entry, State::kBackoff);
    CheckAt(entry.due);
    if (row_counts)
      parts_.gather.SetState(*publication, publication->rows[static_cast<size_t>(entry.row)], DeliveryState::kRetryScheduled);
  }
  for (const DeliveryRecord& delivery : kept.deliveries) dead_letters_ += delivery.state == DeliveryState::kDeadLettered;
  backlog_ = CountBacklog();
}

void Subscription::Configure(const Registration& registration) {
  const bool interest_changed =
      !configured_ || registration.event_types != cursor_.event_types() || registration.filter.text() != cursor_.filter().text();
  const bool first = !configured_;
  configured_ = true;
  cursor_.SetInterest(registration.event_types, registration.filter);
  policy_ = registration.delivery_policy;
  max_in_flight_ = registration.max_in_flight;
  if (cursor_.has_older_ahead()) backlog_ = CountBacklog();
  if (id_ == 0) return;
  if (interest_changed) {
    parts_.states.SaveInterest(id_, {parts_.ledger.journaled_sequence(), registration.event_types, registration.filter.text()});
  }
  Touch();
  // Before the listener itself is saved: a commit that falls between the two must not show one without progress.
  if (first) SaveProgress();
}

void Subscription::Touch() {
  if (id_ == 0 || touched_) return;
  touched_ = true;
  parts_.touched.push_back(weak_from_this());
}

void Subscription::SaveProgress() {
  if (!touched_) return;
  touched_ = false;
  Progress progress{cursor_.next(), cursor_.wanted_again_until(), {}};
  progress.unsettled.reserve(window_.size());
  for (const auto& [sequence, entry] : window_.entries()) progress.unsettled.push_back(sequence);
  parts_.states.SaveProgress(id_, std::move(progress));
}

void Subscription::SaveDelivery(const WindowEntry& entry, DeliveryState state, const std::optional<ListenerError>& error,
                                const std::string& hook_results, SystemTime next_attempt_time) {
  if (id_ == 0) return;
  // A plain acknowledgement at the first attempt is what the progress says.
  if (state == DeliveryState::kSucceeded && entry.attempt <= 1 && entry.lost_sessions == 0 && hook_results.empty()) return;
  Publication* publication = nullptr;
  const ListenerRow* row = RowOf(entry, publication);
  parts_.states.SaveDelivery(id_,
                             {entry.event->sequence, state, state != DeliveryState::kQueued, entry.attempt, entry.lost_sessions,
                              row ? row->latency : Duration::zero(), next_attempt_time, *instance_id_, error, hook_results});
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
  std::vector<Sequence> in_flight;
  for (auto& [sequence, entry] : window_.entries()) {
    window_.ForgetDeliveryIds(entry);
    if (entry.state == State::kInFlight) in_flight.push_back(sequence);
  }
  for (const Sequence sequence : in_flight) {
    WindowEntry& entry = *window_.Find(sequence);
    --entry.attempt;
    if (HasExpired(*entry.event, parts_.clock.SystemNow())) {
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
    if (entry.lost_sessions > 0) SaveDelivery(entry, DeliveryState::kQueued, std::nullopt, {}, {});
    Publication* publication = nullptr;
    if (ListenerRow* row = RowOf(entry, publication)) {
      row->attempt = entry.attempt;
      parts_.gather.SetState(*publication, *row, DeliveryState::kQueued);
    }
    LeftFlight(sequence);
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

Sequence Subscription::BusyWithAncestor(const Event& event) {
  if (window_.in_flight() == 0) return 0;
  const std::string* parent = &event.parent_event_id;
  while (!parent->empty()) {
    const Publication* publication = parts_.ledger.FindByEventId(*parent);
    if (!publication) break;
    const WindowEntry* entry = window_.Find(publication->event->sequence);
    if (entry && entry->state == State::kInFlight) return publication->event->sequence;
    parent = &publication->event->parent_event_id;
  }
  return 0;
}

void Subscription::OnJournaled(Publication& publication, int row) {
  if (row >= 0) ++backlog_;
  if (cursor_.next() != publication.event->sequence) return;  // behind: it is read from the journal when its turn comes
  if (row < 0) {
    cursor_.Advance();
    Touch();
    return;
  }
  if (!available() || cursor_.reading() || !HasRoom()) return;
  Load(publication.event, row);
  cursor_.Advance();
  WakeSession();
}

size_t Subscription::WindowCapacity() const { return std::max<size_t>(4 * static_cast<size_t>(max_in_flight_), 256); }

bool Subscription::HasRoom() const { return window_.size() < WindowCapacity() && window_.bytes() < kWindowBytes; }

bool Subscription::Fill() {
  const size_t size_before = window_.size();
  while (available() && HasRoom() && !read_again_ && !cursor_.reading() && !cursor_.at_end()) {
    cursor_.Read(
        WindowCapacity() - window_.size(), kWindowBytes - window_.bytes(),
        [this](EventPtr event, int row) {
          if (!window_.Find(event->sequence)) Load(std::move(event), row);
        },
        [this](const absl::Status& status) {
          Touch();
          status.ok() ? WakeSession() : ReadAgainLater();
        });
  }
  return window_.size() > size_before;
}

void Subscription::ReadAgainLater() {
  read_again_ = parts_.timers.Schedule(parts_.clock.SteadyNow() + kReadAgainAfter, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->read_again_.number = 0;
    self->Fill();
    self->WakeSession();
  });
}

WindowEntry& Subscription::Load(EventPtr event, int row) {
  const Sequence ancestor = BusyWithAncestor(*event);
  WindowEntry& entry = window_.Add(std::move(event));
  Touch();
  entry.row = row;
  entry.waits_for = ancestor;
  if (ancestor != 0) {
    window_.SetState(entry, State::kDeferred);
    deferred_by_[ancestor].push_back(entry.event->sequence);
  }
  Publication* publication = nullptr;
  if (ListenerRow* listener_row = RowOf(entry, publication)) {
    parts_.gather.SetState(*publication, *listener_row, ancestor != 0 ? DeliveryState::kDeferred : DeliveryState::kQueued);
  }
  return entry;
}

ListenerRow* Subscription::RowOf(const WindowEntry& entry, Publication*& publication) const {
  if (entry.row < 0) return nullptr;
  publication = parts_.ledger.Find(entry.event->sequence);
  return publication ? &publication->rows[static_cast<size_t>(entry.row)] : nullptr;
}

void Subscription::TakeDeliveries(size_t max_bytes, std::vector<OutgoingDelivery>& out) {
  size_t bytes = 0;
  while (available() && window_.in_flight() < max_in_flight_) {
    WindowEntry* entry = window_.NextReady();
    if (!entry) {
      if (!Fill()) break;
      continue;
    }
    if (HasExpired(*entry->event, parts_.clock.SystemNow())) {
      Finish(*entry, DeliveryState::kExpired, ExpiredError(), {});
      continue;
    }
    bytes += entry->event->Bytes();
    if (!out.empty() && bytes > max_bytes) break;
    Send(*entry, out);
  }
}

void Subscription::Send(WindowEntry& entry, std::vector<OutgoingDelivery>& out) {
  ++entry.attempt;
  entry.sent_time = parts_.clock.SteadyNow();
  entry.due = entry.sent_time + policy_.ack_deadline;
  entry.latest_due = entry.due + policy_.max_ack_extension;
  window_.SetState(entry, State::kInFlight);
  window_.AddDeliveryId(entry, session_->NextDeliveryId());
  last_delivered_ = std::max(last_delivered_, entry.event->sequence);
  CheckAt(entry.due);
  Publication* publication = nullptr;
  if (ListenerRow* row = RowOf(entry, publication)) {
    row->attempt = entry.attempt;
    row->instance_id = instance_id_;
    parts_.gather.SetState(*publication, *row, DeliveryState::kInFlight);
  }
  out.push_back({entry.delivery_id, entry.event, entry.attempt, policy_.max_attempts,
                 parts_.clock.SystemNow() + duration_cast<SystemTime::duration>(policy_.ack_deadline),
                 backlog_ - window_.in_flight()});
}

std::optional<Sequence> Subscription::TakeCaughtUp() {
  if (!caught_up_due_ || !available() || cursor_.next() <= caught_up_target_) return std::nullopt;
  for (const auto& [sequence, entry] : window_.entries()) {
    if (sequence > caught_up_target_) break;
    if (entry.state != State::kInFlight && entry.attempt == 0) return std::nullopt;
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
      Finish(*entry, DeliveryState::kDeadLettered, settlement.error, settlement.hook_results);
      break;
    case Outcome::kSkip:
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
  Fill();
  WakeSession();
  return late ? ConfirmationStatus::kAcceptedLate : ConfirmationStatus::kAccepted;
}

bool Subscription::Extend(const Extension& extension) {
  WindowEntry* entry = window_.FindDelivery(extension.delivery_id);
  if (!entry || entry->state != State::kInFlight || entry->delivery_id != extension.delivery_id) return false;
  const SteadyTime wanted = parts_.clock.SteadyNow() + extension.ack_deadline.value_or(policy_.ack_deadline);
  entry->due = std::min(wanted, entry->latest_due);
  CheckAt(entry->due);
  return true;
}

void Subscription::Failed(WindowEntry& entry, ListenerError error, std::optional<Duration> delay, std::string hook_results) {
  if (HasExpired(*entry.event, parts_.clock.SystemNow())) {
    return Finish(entry, DeliveryState::kExpired, std::move(error), std::move(hook_results));
  }
  if (entry.attempt >= policy_.max_attempts) {
    return Finish(entry, DeliveryState::kDeadLettered, std::move(error), std::move(hook_results));
  }
  const Duration wait = delay ? *delay : policy_.Backoff(entry.attempt, parts_.random);
  BackOff(entry, wait, std::move(error), std::move(hook_results));
}

void Subscription::Released(WindowEntry& entry, ListenerError error, std::optional<Duration> delay) {
  --entry.attempt;
  if (HasExpired(*entry.event, parts_.clock.SystemNow())) return Finish(entry, DeliveryState::kExpired, std::move(error), {});
  if (sending_ || delay) {
    // Not at once: a listener that releases everything must not make a hot loop.
    const Duration wait = delay ? *delay : policy_.Backoff(1, parts_.random);
    return BackOff(entry, wait, std::move(error), {});
  }
  window_.SetState(entry, State::kReady);
  window_.ForgetDeliveryIds(entry);
  Publication* publication = nullptr;
  if (ListenerRow* row = RowOf(entry, publication)) {
    row->attempt = entry.attempt;
    parts_.gather.SetState(*publication, *row, DeliveryState::kQueued);
  }
  LeftFlight(entry.event->sequence);
}

void Subscription::BackOff(WindowEntry& entry, Duration wait, ListenerError error, std::string hook_results) {
  entry.due = parts_.clock.SteadyNow() + wait;
  window_.SetState(entry, State::kBackoff);
  const SystemTime next = parts_.clock.SystemNow() + duration_cast<SystemTime::duration>(wait);
  Answered(entry, DeliveryState::kRetryScheduled, std::move(error), std::move(hook_results), next);
  CheckAt(entry.due);
  LeftFlight(entry.event->sequence);
}

void Subscription::Finish(WindowEntry& entry, DeliveryState state, std::optional<ListenerError> error, std::string hook_results) {
  const Sequence sequence = entry.event->sequence;
  if (state == DeliveryState::kDeadLettered) ++dead_letters_;
  Answered(entry, state, std::move(error), std::move(hook_results));
  window_.Erase(entry);
  Touch();
  // After a seek back the cursor may have it still ahead: then it comes again.
  if (!cursor_.IsAhead(sequence)) {
    assert(backlog_ > 0);
    --backlog_;
  }
  LeftFlight(sequence);
}

void Subscription::Answered(WindowEntry& entry, DeliveryState state, std::optional<ListenerError> error, std::string hook_results,
                            SystemTime next_attempt_time) {
  if (error && state != DeliveryState::kSkipped) last_error_ = LastError{*error, parts_.clock.SystemNow()};
  Publication* publication = nullptr;
  ListenerRow* row = RowOf(entry, publication);
  if (row) row->latency = parts_.clock.SteadyNow() - publication->journal_time;
  SaveDelivery(entry, state, error, hook_results, next_attempt_time);
  if (!row) return;
  row->answered = true;
  row->attempt = entry.attempt;
  row->next_attempt_time = next_attempt_time;
  if (parts_.ledger.row_bytes() + hook_results.size() > 2 * parts_.limits.max_row_bytes) {
    hook_results.clear();
    if (error) {
      error->metadata.clear();
      size_t length = std::min(error->message.size(), kShortMessage);
      while (length > 0 && (static_cast<unsigned char>(error->message[length]) & 0xc0) == 0x80)
        --length;  // not inside a character
      error->message.resize(length);
    }
  }
  parts_.ledger.SetAnswer(*publication, *row, std::move(error), std::move(hook_results));
  parts_.gather.SetState(*publication, *row, state);
}

void Subscription::LeftFlight(Sequence sequence) {
  const auto waiting = deferred_by_.extract(sequence);
  if (!waiting) return;
  for (const Sequence deferred : waiting.mapped()) {
    WindowEntry* entry = window_.Find(deferred);
    if (!entry || entry->state != State::kDeferred || entry->waits_for != sequence) continue;
    entry->waits_for = BusyWithAncestor(*entry->event);
    if (entry->waits_for != 0) {
      deferred_by_[entry->waits_for].push_back(deferred);
      continue;
    }
    window_.SetState(*entry, State::kReady);
    Publication* publication = nullptr;
    if (ListenerRow* row = RowOf(*entry, publication)) {
      parts_.gather.SetState(*publication, *row, DeliveryState::kQueued);
    }
  }
}

void Subscription::Expire(Publication& publication) {
  WindowEntry* entry = window_.Find(publication.event->sequence);
  if (entry && entry->state == State::kInFlight) return;  // it may still be acknowledged; a failure ends it as EXPIRED
  if (entry) Finish(*entry, DeliveryState::kExpired, ExpiredError(), {});
  if (!cursor_.IsAhead(publication.event->sequence)) return;
  assert(backlog_ > 0);
  --backlog_;
  ListenerRow* const row = publication.FindRow(name_);
  if (!row || IsFinal(row->state)) return;  // older than the listener, or to be sent again
  SaveUnsent(publication, DeliveryState::kExpired, ExpiredError());
  parts_.ledger.SetAnswer(publication, *row, ExpiredError());
  parts_.gather.SetState(publication, *row, DeliveryState::kExpired);
}

void Subscription::SaveUnsent(const Publication& publication, DeliveryState state, const ListenerError& error) {
  if (id_ == 0) return;
  DeliveryRecord record;
  record.sequence = publication.event->sequence;
  record.state = state;
  record.error = error;
  parts_.states.SaveDelivery(id_, std::move(record));
}

void Subscription::GoOnAfterExpiry() {
  // Else a listener that is away would keep an event in the journal that nobody wants.
  cursor_.SkipUnwanted();
  Touch();
  Fill();
  WakeSession();
}

uint64_t Subscription::Seek(Sequence next_sequence) {
  const ListenerError error{kAborted, "SEEK", "an operator moved the listener past this event", {}, false};
  uint64_t skipped = 0;
  std::vector<Sequence> passed;
  for (const auto& [sequence, entry] : window_.entries()) {
    if (sequence < next_sequence) passed.push_back(sequence);
  }
  for (const Sequence sequence : passed) {
    Finish(*window_.Find(sequence), DeliveryState::kSkipped, error, {});
    ++skipped;
  }
  if (next_sequence > cursor_.next()) {
    cursor_.Walk(cursor_.next(), next_sequence - 1, [&](Publication& publication, int row) {
      if (std::binary_search(passed.begin(), passed.end(), publication.event->sequence)) return true;
      ++skipped;
      if (row < 0) return true;
      ListenerRow& listener_row = publication.rows[static_cast<size_t>(row)];
      SaveUnsent(publication, DeliveryState::kSkipped, error);
      parts_.ledger.SetAnswer(publication, listener_row, error);
      parts_.gather.SetState(publication, listener_row, DeliveryState::kSkipped);
      return true;
    });
  }
  cursor_.MoveTo(next_sequence);
  Touch();
  backlog_ = CountBacklog();
  Fill();
  WakeSession();
  return skipped;
}

uint64_t Subscription::CountBacklog() const {
  uint64_t count = window_.size();
  cursor_.Walk(cursor_.next(), parts_.ledger.journaled_sequence(), [&](const Publication& publication, int) {
    count += !window_.entries().contains(publication.event->sequence);
    return true;
  });
  return count;
}

uint64_t Subscription::CountBefore(Sequence sequence) const {
  uint64_t count = 0;
  for (const auto& [loaded, entry] : window_.entries()) count += loaded < sequence;
  if (sequence <= cursor_.next()) return count;
  cursor_.Walk(cursor_.next(), sequence - 1, [&](const Publication& publication, int) {
    count += !window_.entries().contains(publication.event->sequence);
    return true;
  });
  return count;
}

uint64_t Subscription::DropAll(const ListenerError& error) {
  const uint64_t dropped = backlog_;
  const auto drop = [&](Publication& publication, ListenerRow& row) {
    if (IsFinal(row.state)) return;
    parts_.ledger.SetAnswer(publication, row, error);
    parts_.gather.SetState(publication, row, DeliveryState::kExpired);
  };
  for (const auto& [sequence, entry] : window_.entries()) {
    Publication* publication = nullptr;
    if (ListenerRow* row = RowOf(entry, publication)) drop(*publication, *row);
  }
  cursor_.Walk(cursor_.next(), parts_.ledger.journaled_sequence(), [&](Publication& publication, int row) {
    if (row >= 0) drop(publication, publication.rows[static_cast<size_t>(row)]);
    return true;
  });
  window_.Clear();
  deferred_by_.clear();
  backlog_ = 0;
  cursor_.MoveTo(cursor_.next());
  parts_.timers.Cancel(check_);
  return dropped;
}

Sequence Subscription::floor() const {
  return window_.entries().empty() ? cursor_.next() : std::min(window_.entries().begin()->first, cursor_.next());
}

std::optional<SystemTime> Subscription::OldestUnackedTime() const {
  if (!window_.entries().empty()) return window_.entries().begin()->second.event->publish_time;
  if (backlog_ == 0) return std::nullopt;
  std::optional<SystemTime> oldest;
  cursor_.Walk(cursor_.next(), parts_.ledger.journaled_sequence(), [&oldest](const Publication& publication, int) {
    oldest = publication.event->publish_time;
    return false;
  });
  return oldest;
}

std::string Subscription::BlockedReason() const {
  if (!available() || backlog_ <= window_.in_flight()) return {};
  const Duration write_age = session_->WriteAge();
  if (write_age > kNormalWait) {
    return absl::StrFormat("it has not read what was sent for %d ms", duration_cast<milliseconds>(write_age).count());
  }
  if (window_.in_flight() >= max_in_flight_) {
    SteadyTime oldest = SteadyTime::max();
    for (const auto& [sequence, entry] : window_.entries()) {
      if (entry.state == State::kInFlight) oldest = std::min(oldest, entry.sent_time);
    }
    const Duration age = parts_.clock.SteadyNow() - oldest;
    if (age < kNormalWait) return {};
    return absl::StrFormat("its window is full: %d deliveries are unanswered, the oldest for %d ms", window_.in_flight(),
                           duration_cast<milliseconds>(age).count());
  }
  if (window_.size() >= WindowCapacity() && window_.in_backoff() > 0) {
    return absl::StrFormat("%d events wait behind %d that are being retried", backlog_ - window_.in_backoff(),
                           window_.in_backoff());
  }
  return {};
}

void Subscription::CheckAt(SteadyTime due) {
  if (check_ && check_.due <= due) return;
  parts_.timers.Cancel(check_);
  check_ = parts_.timers.Schedule(due, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->RunDue();
  });
}

void Subscription::RunDue() {
  check_.number = 0;
  const SteadyTime now = parts_.clock.SteadyNow();
  SteadyTime next = SteadyTime::max();
  std::vector<Sequence> missed;
  for (auto& [sequence, entry] : window_.entries()) {
    if (entry.state != State::kInFlight && entry.state != State::kBackoff) continue;
    if (entry.due > now) {
      next = std::min(next, entry.due);
    } else if (entry.state == State::kInFlight) {
      missed.push_back(sequence);
    } else {
      window_.SetState(entry, State::kReady);
      Publication* publication = nullptr;
      if (ListenerRow* row = RowOf(entry, publication)) parts_.gather.SetState(*publication, *row, DeliveryState::kQueued);
    }
  }
  for (const Sequence sequence : missed) {
    WindowEntry& entry = *window_.Find(sequence);
    Failed(
        entry,
        ListenerError{kDeadlineExceeded,
                      "ACK_DEADLINE_EXCEEDED",
                      absl::StrFormat("no answer within %d ms", duration_cast<milliseconds>(entry.due - entry.sent_time).count()),
                      {},
                      true},
        std::nullopt, {});
  }
  if (next != SteadyTime::max()) CheckAt(next);
  Fill();
  WakeSession();
}

void Subscription::WakeSession() {
  if (session_) session_->Wake();
}

}  // namespace pvebus::bus
