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
constexpr int kOutOfRange = 11;
constexpr size_t kShortMessage = 200;
constexpr Duration kNormalWait = std::chrono::seconds(1);  // a listener is not called blocked for less
constexpr Duration kReadAgainAfter = std::chrono::seconds(1);
constexpr size_t kEventsPerRead = 1024;
constexpr int kReadsPerTurn = 4;
constexpr size_t kReplaysPerRead = 64;
// The count of a backlog is saved at least so often: a start counts what came after it.
constexpr Sequence kSaveEvery = 1024;

bool HasExpired(const Event& event, SystemTime now) { return event.expire_time && *event.expire_time <= now; }

ListenerError ExpiredError() {
  return {kDeadlineExceeded, "EVENT_EXPIRED", "the event's expire_time passed before it was handled", {}, false};
}
ListenerError SeekError() { return {kAborted, "SEEK", "an operator moved the listener past this event", {}, false}; }
ListenerError TruncatedError() {
  return {kOutOfRange, "BACKLOG_TRUNCATED", "the listener lagged too far behind and the journal gave the event up", {}, false};
}

// At most so many bytes, not ending inside a character.
void Shorten(std::string& text, size_t most) {
  if (text.size() <= most) return;
  size_t length = most;
  while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) --length;
  text.resize(length);
}

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
  for (auto& [slot, entry] : window_.entries()) {
    window_.ForgetDeliveryIds(entry);
    if (entry.state == State::kInFlight) in_flight.push_back(slot);
  }
  for (const Slot slot : in_flight) {
    WindowEntry& entry = *window_.Find(slot);
    if (leave == Leave::kLost) {
      RememberFailure(entry, {kAborted, "SESSION_LOST", "the listener was lost while it had the event", {}, true});
    }
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
    if (entry.lost_sessions > 0) Save(Outcome(entry, DeliveryState::kQueued, std::nullopt, {}));
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

void Subscription::OnJournaled(const Publication& publication, bool matched) {
  const Sequence sequence = publication.event->sequence;
  if (matched) backlog_.Add();
  if (sequence >= saved_at_ + kSaveEvery) Touch();
  if (cursor_.next() != sequence) return;  // behind: it is read from the journal when its turn comes
  if (!matched) return cursor_.Advance();
  if (!available() || cursor_.reading() || !HasRoom()) return;
  Load(publication.event, true);
  cursor_.Advance();
  backlog_.Passed(sequence);
  WakeSession();
}

size_t Subscription::WindowCapacity() const { return std::max<size_t>(4 * static_cast<size_t>(max_in_flight_), 256); }

bool Subscription::HasRoom() const { return window_.size() < WindowCapacity() && window_.bytes() < kWindowBytes; }

bool Subscription::WantsMore() const {
  if (!HasRoom()) return false;
  return window_.size() <= WindowCapacity() / 2 || (!window_.has_ready() && window_.size() <= WindowCapacity() / 8 * 7);
}

bool Subscription::Fill() {
  const size_t size_before = window_.size();
  for (int reads = 0; available() && WantsMore() && !read_again_ && !cursor_.reading() && !cursor_.at_end(); ++reads) {
    if (reads == kReadsPerTurn) {  // others have a turn
      ReadAgain(milliseconds(1));
      break;
    }
    const size_t room = WindowCapacity() - window_.size();
    cursor_.Read(
        cursor_.interests().EverythingSince(cursor_.next()) ? room : kEventsPerRead, kWindowBytes - window_.bytes(),
        [this](const EventPtr& event) { return Pass(event); },
        [this](const absl::Status& status) {
          Touch();
          if (status.ok()) return WakeSession();
          parts_.logger.Error("journal_read_failed listener=%s sequence=%d error=\"%s\"", *name_, cursor_.next(),
                              status.ToString());
          ReadAgain(kReadAgainAfter);
        });
  }
  if (cursor_.at_end() && !cursor_.reading()) backlog_.Clear();
  FillFromReplays();
  return window_.size() > size_before;
}

bool Subscription::Pass(const EventPtr& event) {
  if (!cursor_.Wants(*event)) return true;
  const Sequence sequence = event->sequence;
  if (!window_.Find(sequence)) {
    if (HasExpired(*event, parts_.clock.SystemNow())) {
      if (cursor_.Counts(*event)) EndUnsent(*event, DeliveryState::kExpired, ExpiredError());
    } else {
      if (!HasRoom()) return false;
      Load(event, cursor_.Counts(*event));
    }
  }
  backlog_.Passed(sequence);
  return true;
}

bool Subscription::FillFromReplays() {
  if (!replays_.has_more() || replays_.reading() || !available() || !WantsMore() || read_again_) return false;
  replays_.Read(
      std::min(kReplaysPerRead, WindowCapacity() - window_.size()), kWindowBytes - window_.bytes(),
      [this](Replay replay, EventPtr event) { LoadReplay(std::move(replay), std::move(event)); },
      [this](const absl::Status& status) { status.ok() ? WakeSession() : ReadAgain(kReadAgainAfter); });
  return true;
}

void Subscription::ReadAgain(Duration after) {
  parts_.timers.Cancel(read_again_);
  read_again_ = parts_.timers.Schedule(parts_.clock.SteadyNow() + after, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->read_again_.number = 0;
    self->Fill();
    self->WakeSession();
  });
}

Duration Subscription::LeftOf(const Event& event) const {
  return duration_cast<Duration>(*event.expire_time - parts_.clock.SystemNow());
}

WindowEntry& Subscription::Load(EventPtr event, bool counts) {
  WindowEntry& entry = window_.Add(std::move(event));
  entry.counts = counts;
  Touch();
  // System time is what the publisher meant.
  if (entry.event->expire_time) CheckAt(parts_.clock.SteadyNow() + std::max(LeftOf(*entry.event), Duration::zero()));
  Defer(entry);
  return entry;
}

void Subscription::LoadReplay(Replay replay, EventPtr event) {
  const Slot slot = kFirstReplaySlot | replay.number;
  if (window_.Find(slot)) return;
  WindowEntry& entry = window_.Add(std::move(event), slot);
  entry.replay = std::make_unique<const Replay>(std::move(replay));
  Defer(entry);
}

void Subscription::Defer(WindowEntry& entry) {
  entry.waits_for = BusyWithAncestor(*entry.event);
  if (entry.waits_for != 0) {
    window_.SetState(entry, State::kDeferred);
    deferred_by_[entry.waits_for].push_back(entry.slot);
  }
  SetRowState(entry, entry.waits_for != 0 ? DeliveryState::kDeferred : DeliveryState::kQueued);
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
  while (available() && window_.in_flight() < max_in_flight_) {
    WindowEntry* entry = window_.NextReady();
    if (!entry) {
      if (!Fill()) break;
      continue;
    }
    if (HasExpired(*entry->event, parts_.clock.SystemNow()) && !entry->replay) {
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
  const uint64_t all = backlog();
  out.push_back({entry.delivery_id, entry.event, entry.attempt, policy_.max_attempts,
                 parts_.clock.SystemNow() + duration_cast<SystemTime::duration>(policy_.ack_deadline),
                 all - std::min<uint64_t>(all, window_.in_flight()), entry.replay ? entry.replay->replay_id : std::string(),
                 entry.replay && entry.replay->dry_run});
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
  RememberFailure(entry, error);
  if (HasExpired(*entry.event, parts_.clock.SystemNow()) && !entry.replay) {
    return Finish(entry, DeliveryState::kExpired, std::move(error), std::move(hook_results));
  }
  if (entry.attempt >= policy_.max_attempts) {
    return Finish(entry, DeliveryState::kDeadLettered, std::move(error), std::move(hook_results));
  }
  const Duration wait = delay ? *delay : policy_.Backoff(entry.attempt, parts_.random);
  BackOff(entry, wait, std::move(error), std::move(hook_results));
}

void Subscription::RememberFailure(WindowEntry& entry, const ListenerError& error) {
  if (id_ == 0) return;
  if (entry.failures.size() == kMaxAttemptRecords) entry.failures.erase(entry.failures.begin());
  AttemptRecord& failure = entry.failures.emplace_back();
  failure.attempt = entry.attempt;
  failure.end_time = parts_.clock.SystemNow();
  failure.instance_id = *instance_id_;
  failure.error = error;
  failure.error.metadata.clear();
  Shorten(failure.error.message, kAttemptMessageBytes);
  if (entry.replay) failure.replay_id = entry.replay->replay_id;
}

void Subscription::Released(WindowEntry& entry, ListenerError error, std::optional<Duration> delay) {
  --entry.attempt;
  if (HasExpired(*entry.event, parts_.clock.SystemNow()) && !entry.replay) {
    return Finish(entry, DeliveryState::kExpired, std::move(error), {});
  }
  if (sending_ || delay) {
    // Not at once: a listener that releases everything must not make a hot loop.
    const Duration wait = delay ? *delay : policy_.Backoff(1, parts_.random);
    return BackOff(entry, wait, std::move(error), {});
  }
  window_.SetState(entry, State::kReady);
  window_.ForgetDeliveryIds(entry);
  SetRowState(entry, DeliveryState::kQueued);
  LeftFlight(entry.slot);
}

void Subscription::BackOff(WindowEntry& entry, Duration wait, ListenerError error, std::string hook_results) {
  entry.due = parts_.clock.SteadyNow() + wait;
  window_.SetState(entry, State::kBackoff);
  const SystemTime next = parts_.clock.SystemNow() + duration_cast<SystemTime::duration>(wait);
  Answered(entry, Outcome(entry, DeliveryState::kRetryScheduled, std::move(error), std::move(hook_results), next));
  CheckAt(entry.due);
  LeftFlight(entry.slot);
}

void Subscription::Finish(WindowEntry& entry, DeliveryState state, std::optional<ListenerError> error, std::string hook_results) {
  const Slot slot = entry.slot;
  const bool plain = state == DeliveryState::kSucceeded && entry.attempt <= 1 && entry.lost_sessions == 0 &&
                     entry.failures.empty() && hook_results.empty() && !entry.replay;
  if (plain) {
    AnsweredPlainly(entry);
  } else {
    const DeliveryRecord outcome = Outcome(entry, state, std::move(error), std::move(hook_results));
    Answered(entry, outcome);
    if (entry.replay) {
      FinishReplay(entry, outcome);
    } else if (state == DeliveryState::kDeadLettered) {
      AddDeadLetter(entry, outcome);
    }
  }
  window_.Erase(entry);
  Touch();
  LeftFlight(slot);
}

DeliveryRecord Subscription::Outcome(const WindowEntry& entry, DeliveryState state, std::optional<ListenerError> error,
                                     std::string hook_results, SystemTime next_attempt_time) const {
  DeliveryRecord outcome;
  outcome.sequence = entry.event->sequence;
  outcome.state = state;
  outcome.answered = state != DeliveryState::kQueued;
  outcome.attempt = entry.attempt;
  outcome.lost_sessions = entry.lost_sessions;
  outcome.latency = LatencyOf(entry, parts_.ledger.Find(entry.event->sequence));
  outcome.next_attempt_time = next_attempt_time;
  outcome.instance_id = *instance_id_;
  outcome.error = std::move(error);
  outcome.hook_results = std::move(hook_results);
  outcome.attempts = entry.failures;
  return outcome;
}

// What the progress says, and nothing else need be kept of.
void Subscription::AnsweredPlainly(const WindowEntry& entry) {
  Publication* publication = nullptr;
  ListenerRow* row = RowOf(entry, publication);
  if (!row) return;
  row->latency = LatencyOf(entry, publication);
  row->answered = true;
  row->attempt = entry.attempt;
  parts_.ledger.SetAnswer(*publication, *row, std::nullopt);
  parts_.gather.SetState(*publication, *row, DeliveryState::kSucceeded);
}

Duration Subscription::LatencyOf(const WindowEntry& entry, const Publication* publication) const {
  if (publication && !publication->recalled) return parts_.clock.SteadyNow() - publication->journal_time;
  return duration_cast<Duration>(parts_.clock.SystemNow() - entry.event->publish_time);
}

void Subscription::Answered(const WindowEntry& entry, DeliveryRecord outcome) {
  if (outcome.error && outcome.state != DeliveryState::kSkipped)
    last_error_ = LastError{*outcome.error, parts_.clock.SystemNow()};
  if (!entry.replay) Save(outcome);
  if (entry.counts) Show(std::move(outcome));
}

void Subscription::Show(DeliveryRecord outcome) {
  Publication* const publication = parts_.ledger.Find(outcome.sequence);
  ListenerRow* const row = publication ? publication->FindRow(name_) : nullptr;
  if (!row) return;
  row->latency = outcome.latency;
  row->answered = true;
  row->attempt = outcome.attempt;
  row->next_attempt_time = outcome.next_attempt_time;
  if (parts_.ledger.bytes() + outcome.hook_results.size() > 2 * parts_.limits.max_ledger_bytes) {
    outcome.hook_results.clear();
    if (outcome.error) {
      outcome.error->metadata.clear();
      Shorten(outcome.error->message, kShortMessage);
    }
  }
  parts_.ledger.SetAnswer(*publication, *row, std::move(outcome.error), std::move(outcome.hook_results));
  parts_.gather.SetState(*publication, *row, outcome.state);
}

void Subscription::AddDeadLetter(const WindowEntry& entry, const DeliveryRecord& outcome) {
  ++dead_letters_;
  if (id_ == 0) return;
  DeadLetter letter;
  letter.id = ++parts_.counters.last_dead_letter_id;
  letter.listener = id_;
  letter.listener_name = *name_;
  letter.time = parts_.clock.SystemNow();
  letter.event = entry.event;
  letter.delivery = outcome;
  parts_.states.SaveDeadLetter(std::move(letter));
}

void Subscription::AddReplays(uint64_t count, uint64_t redrives) {
  replays_.Add(count, redrives);
  Fill();
  WakeSession();
}

void Subscription::DeadLetterRemoved() { dead_letters_ -= std::min<uint64_t>(dead_letters_, 1); }

void Subscription::FinishReplay(const WindowEntry& entry, const DeliveryRecord& outcome) {
  const Replay& replay = *entry.replay;
  replays_.End(replay);
  const bool done = outcome.state == DeliveryState::kSucceeded || outcome.state == DeliveryState::kSkipped;
  if (replay.dead_letter_id == 0) {
    if (outcome.state == DeliveryState::kDeadLettered && !replay.dry_run) AddDeadLetter(entry, outcome);
    return;
  }
  if (done) {
    parts_.states.RemoveDeadLetter(replay.dead_letter_id);
    DeadLetterRemoved();
    Save(outcome);  // from here on that is how the event stands
    return Show(outcome);
  }
  // Given up again: the old attempts stay, the new ones are added.
  parts_.states.ReadDeadLetters(replay.dead_letter_id - 1, 1, SIZE_MAX,
                                [&states = parts_.states, id = replay.dead_letter_id, outcome,
                                 now = parts_.clock.SystemNow()](absl::StatusOr<std::vector<DeadLetter>> letters) {
                                  if (!letters.ok() || letters->empty() || letters->front().id != id) return;
                                  DeadLetter& letter = letters->front();
                                  std::vector<AttemptRecord> attempts = std::move(letter.delivery.attempts);
                                  attempts.insert(attempts.end(), outcome.attempts.begin(), outcome.attempts.end());
                                  if (attempts.size() > kMaxAttemptRecords) {
                                    attempts.erase(attempts.begin(), attempts.end() - kMaxAttemptRecords);
                                  }
                                  const uint32_t before = letter.delivery.attempt;
                                  letter.delivery = outcome;
                                  letter.delivery.attempt += before;
                                  letter.delivery.attempts = std::move(attempts);
                                  letter.time = now;
                                  letter.redrive_id.clear();
                                  states.SaveDeadLetter(std::move(letter));
                                });
}

void Subscription::LeftFlight(Slot slot) {
  const auto waiting = deferred_by_.extract(slot);
  if (!waiting) return;
  for (const Slot deferred : waiting.mapped()) {
    WindowEntry* entry = window_.Find(deferred);
    if (!entry || entry->state != State::kDeferred || entry->waits_for != slot) continue;
    entry->waits_for = BusyWithAncestor(*entry->event);
    if (entry->waits_for != 0) {
      deferred_by_[entry->waits_for].push_back(deferred);
      continue;
    }
    window_.SetState(*entry, State::kReady);
    SetRowState(*entry, DeliveryState::kQueued);
  }
}

void Subscription::Expire(Publication& publication) {
  const Event& event = *publication.event;
  WindowEntry* entry = window_.Find(event.sequence);
  if (entry && entry->state == State::kInFlight) return;  // it may still be acknowledged; a failure ends it as EXPIRED
  if (entry) Finish(*entry, DeliveryState::kExpired, ExpiredError(), {});
  if (event.sequence < cursor_.next() || !cursor_.Wants(event)) return;
  backlog_.Expired(event.sequence);
  ListenerRow* const row = publication.FindRow(name_);
  if (!row || IsFinal(row->state) || !cursor_.Counts(event)) return;  // older than the listener, or to be sent again
  parts_.ledger.SetAnswer(publication, *row, ExpiredError());
  parts_.gather.SetState(publication, *row, DeliveryState::kExpired);
}

void Subscription::GoOnAfterExpiry() {
  // Else a listener that is away would keep events in the journal that nobody wants.
  while (!cursor_.reading() && !cursor_.at_end()) {
    const Publication* publication = parts_.ledger.Find(cursor_.next());
    if (!publication) break;
    if (cursor_.Wants(*publication->event)) {
      if (!HasExpired(*publication->event, parts_.clock.SystemNow()) || window_.Find(cursor_.next())) break;
      Pass(publication->event);
    }
    cursor_.Advance();
    Touch();
  }
  Fill();
  WakeSession();
}

uint64_t Subscription::backlog() const {
  uint64_t in_window = window_.size();
  // After a move back the cursor has entries of the window ahead.
  for (auto it = window_.entries().lower_bound(cursor_.next()); it != window_.entries().end() && it->first < kFirstReplaySlot;
       ++it)
    --in_window;
  return in_window + backlog_.count() + replays_.waiting();
}

void Subscription::Seek(Sequence next_sequence) {
  std::vector<Slot> passed;
  for (const auto& [slot, entry] : window_.entries()) {
    if (slot < next_sequence) passed.push_back(slot);
  }
  for (const Slot slot : passed) Finish(*window_.Find(slot), DeliveryState::kSkipped, SeekError(), {});
  const Sequence before = cursor_.next();
  if (next_sequence > before) {
    gaps_.push_back({before, next_sequence - 1});
    for (Sequence sequence = before; sequence < next_sequence; ++sequence) {
      Publication* publication = parts_.ledger.Find(sequence);
      if (!publication) continue;
      ListenerRow* row = cursor_.Counts(*publication->event) ? publication->FindRow(name_) : nullptr;
      if (!row || IsFinal(row->state)) continue;
      parts_.ledger.SetAnswer(*publication, *row, SeekError());
      parts_.gather.SetState(*publication, *row, DeliveryState::kSkipped);
    }
  }
  cursor_.MoveTo(next_sequence);
  Remember({parts_.clock.SystemNow(), "SEEK", absl::StrFormat("moved from event %d to event %d", before, next_sequence),
            std::min(before, next_sequence), std::max(before, next_sequence)});
  Touch();
  backlog_.Recount();
  Fill();
  WakeSession();
}

void Subscription::CountBefore(Sequence sequence, std::function<void(absl::StatusOr<uint64_t>)> done) const {
  uint64_t loaded = 0;
  for (const auto& [slot, entry] : window_.entries()) loaded += slot < sequence && slot < cursor_.next();
  const Sequence from = std::max(cursor_.next(), parts_.log.first_sequence());
  if (sequence <= from) return done(loaded);
  if (cursor_.CountsAll(from)) return done(loaded + (sequence - from));
  parts_.log.Count(from, sequence - 1, cursor_.Wish(), [loaded, done = std::move(done)](absl::StatusOr<uint64_t> ahead) {
    if (ahead.ok()) *ahead += loaded;
    done(std::move(ahead));
  });
}

void Subscription::GiveUpBefore(Sequence sequence) {
  uint64_t lost = 0;
  std::vector<Slot> passed;
  for (const auto& [slot, entry] : window_.entries()) {
    if (slot < sequence) passed.push_back(slot);
  }
  for (const Slot slot : passed) {
    Finish(*window_.Find(slot), DeliveryState::kSkipped, TruncatedError(), {});
    ++lost;
  }
  const Sequence first = passed.empty() ? cursor_.next() : std::min(passed.front(), cursor_.next());
  if (sequence > cursor_.next()) {
    const uint64_t ahead = backlog_.count();
    cursor_.MoveTo(sequence);
    backlog_.Recount();
    if (!backlog_.counting()) lost += ahead - std::min(ahead, backlog_.count());
  }
  parts_.counters.lost_deliveries += lost;
  Remember({parts_.clock.SystemNow(), "BACKLOG_TRUNCATED",
            absl::StrFormat("the journal gave up events up to %d, which the listener had not settled", sequence - 1), first,
            sequence - 1});
  Touch();
  Fill();
  WakeSession();
}

void Subscription::Remember(Incident incident) {
  // A journal that gives up event after event is one incident.
  if (!incidents_.empty() && incidents_.back().kind == incident.kind && incidents_.back().last + 1 >= incident.first &&
      incident.kind != "SEEK") {
    incident.first = std::min(incident.first, incidents_.back().first);
    incidents_.back() = std::move(incident);
    return;
  }
  if (incidents_.size() == kMaxIncidents) incidents_.erase(incidents_.begin());
  incidents_.push_back(std::move(incident));
}

void Subscription::DropAll(const ListenerError& error) {
  const auto end = [&](Publication* publication) {
    ListenerRow* row = publication ? publication->FindRow(name_) : nullptr;
    if (!row || IsFinal(row->state)) return;
    parts_.ledger.SetAnswer(*publication, *row, error);
    parts_.gather.SetState(*publication, *row, DeliveryState::kExpired);
  };
  for (const auto& [slot, entry] : window_.entries()) end(parts_.ledger.Find(entry.event->sequence));
  parts_.ledger.ForEachSince(cursor_.next(), end);
  window_.Clear();
  deferred_by_.clear();
  backlog_.Clear();
  cursor_.MoveTo(cursor_.next());
  parts_.timers.Cancel(check_);
}

Sequence Subscription::floor() const {
  return window_.entries().empty() ? cursor_.next() : std::min(window_.entries().begin()->first, cursor_.next());
}

std::optional<SystemTime> Subscription::OldestUnackedTime() const {
  if (!window_.entries().empty()) return window_.entries().begin()->second.event->publish_time;
  const Publication* next = backlog_.count() > 0 ? parts_.ledger.Find(cursor_.next()) : nullptr;
  if (!next) return std::nullopt;
  return next->event->publish_time;
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
      if (entry.state == State::kInFlight) oldest = std::min(oldest, entry.sent_time);
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
  std::vector<Slot> missed;
  std::vector<Slot> expired;
  for (auto& [slot, entry] : window_.entries()) {
    if (entry.state != State::kInFlight && entry.event->expire_time && !entry.replay) {
      const Duration left = LeftOf(*entry.event);
      if (left <= Duration::zero()) {
        expired.push_back(slot);
        continue;
      }
      next = std::min(next, now + left);
    }
    if (entry.state != State::kInFlight && entry.state != State::kBackoff) continue;
    if (entry.due > now) {
      next = std::min(next, entry.due);
    } else if (entry.state == State::kInFlight) {
      missed.push_back(slot);
    } else {
      window_.SetState(entry, State::kReady);
      SetRowState(entry, DeliveryState::kQueued);
    }
  }
  for (const Slot slot : missed) {
    WindowEntry& entry = *window_.Find(slot);
    Failed(
        entry,
        ListenerError{kDeadlineExceeded,
                      "ACK_DEADLINE_EXCEEDED",
                      absl::StrFormat("no answer within %d ms", duration_cast<milliseconds>(entry.due - entry.sent_time).count()),
                      {},
                      true},
        std::nullopt, {});
  }
  for (const Slot slot : expired) Finish(*window_.Find(slot), DeliveryState::kExpired, ExpiredError(), {});
  if (next != SteadyTime::max()) CheckAt(next);
  Fill();
  WakeSession();
}

void Subscription::WakeSession() {
  if (session_) session_->Wake();
}

}  // namespace pvebus::bus
