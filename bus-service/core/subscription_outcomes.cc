// How deliveries end, or come again: failures, retries, dead letters, and what is kept of them.
#include <algorithm>
#include <cassert>

#include "absl/strings/str_format.h"
#include "bus-service/core/row_errors.h"
#include "bus-service/core/session.h"
#include "bus-service/core/subscription.h"

namespace pvebus::bus {
namespace {

using State = WindowEntry::State;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr int kDeadlineExceeded = 4;
constexpr size_t kShortMessage = 200;
constexpr Duration kAskAgainAfter = std::chrono::milliseconds(500);

// At most so many bytes, not ending inside a character.
void Shorten(std::string& text, size_t most) {
  if (text.size() <= most) return;
  size_t length = most;
  while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) --length;
  text.resize(length);
}

// The old attempts stay, the new ones are added.
void AddOutcome(const DeliveryRecord& outcome, DeadLetter& letter) {
  std::vector<AttemptRecord> attempts = std::move(letter.delivery.attempts);
  for (const AttemptRecord& attempt : outcome.attempts) AddNewest(attempts, attempt);
  const uint32_t before = letter.delivery.attempt;
  letter.delivery = outcome;
  letter.delivery.attempt += before;
  letter.delivery.attempts = std::move(attempts);
  letter.redrive_id.clear();
}

}  // namespace

void Subscription::Failed(WindowEntry& entry, ListenerError error, std::optional<Duration> delay, std::string hook_results) {
  RememberFailure(entry, error);
  if (HasExpired(*entry.event, parts_.clock.SystemNow()) && !entry.replay) {
    return Finish(entry, DeliveryState::kExpired, std::move(error), std::move(hook_results));
  }
  if (entry.attempt >= policy_.max_attempts) {
    return Finish(entry, DeliveryState::kDeadLettered, std::move(error), std::move(hook_results));
  }
  const Duration wait = delay ? *delay : policy_.Backoff(entry.attempt, parts_.random);
  BackOff(entry, wait, DeliveryState::kRetryScheduled, std::move(error), std::move(hook_results));
}

void Subscription::RememberFailure(WindowEntry& entry, const ListenerError& error) {
  if (id_ == 0) return;
  AttemptRecord failure;
  failure.attempt = entry.attempt;
  failure.end_time = parts_.clock.SystemNow();
  failure.instance_id = *instance_id_;
  failure.error = error;
  failure.error.metadata.clear();
  Shorten(failure.error.message, kAttemptMessageBytes);
  if (entry.replay) {
    const Sequence sequence = entry.event->sequence;
    failure.replay_id = entry.replay->replay_id;
    parts_.states.AddAttempt(id_, sequence, failure);
    // Not settled yet: what is saved of it next would be without.
    if (WindowEntry* unsettled = window_.Find(sequence)) AddNewest(unsettled->failures, failure);
  }
  AddNewest(entry.failures, std::move(failure));
}

void Subscription::Released(WindowEntry& entry, ListenerError error, std::optional<Duration> delay) {
  --entry.attempt;
  if (HasExpired(*entry.event, parts_.clock.SystemNow()) && !entry.replay) {
    return Finish(entry, DeliveryState::kExpired, std::move(error), {});
  }
  if (sending_ || delay) {
    // Not at once: a listener that releases everything must not make a hot loop.
    const Duration wait = delay ? *delay : policy_.Backoff(1, parts_.random);
    return BackOff(entry, wait, DeliveryState::kQueued, std::move(error), {});
  }
  window_.SetState(entry, State::kReady);
  window_.ForgetDeliveryIds(entry);
  SetRowState(entry, DeliveryState::kQueued);
  LeftFlight(entry.slot);
}

void Subscription::BackOff(WindowEntry& entry, Duration wait, DeliveryState state, ListenerError error,
                           std::string hook_results) {
  entry.released = state == DeliveryState::kQueued;
  entry.due = parts_.clock.SteadyNow() + wait;
  window_.SetState(entry, State::kBackoff);
  const SystemTime next = parts_.clock.SystemNow() + duration_cast<SystemTime::duration>(wait);
  DeliveryRecord outcome = Outcome(entry, state, std::move(error), std::move(hook_results), next);
  outcome.answered = true;
  Answered(entry, std::move(outcome));
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
    // The letter first: a crash between the two delivers the event again, the other way round it would be nowhere.
    if (!entry.replay && state == DeliveryState::kDeadLettered) AddDeadLetter(entry, outcome);
    Answered(entry, outcome);
    if (entry.replay) FinishReplay(entry, outcome);
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
  if (outcome.error && outcome.state != DeliveryState::kSkipped && outcome.state != DeliveryState::kQueued) {
    last_error_ = LastError{*outcome.error, parts_.clock.SystemNow()};
    Changed();
  }
  if (!entry.replay) SaveOutcome(outcome);
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

void Subscription::DeadLetterRemoved() { dead_letters_ -= std::min<uint64_t>(dead_letters_, 1); }

void Subscription::FinishReplay(const WindowEntry& entry, const DeliveryRecord& outcome) {
  const Replay& replay = *entry.replay;
  const bool done = outcome.state == DeliveryState::kSucceeded || outcome.state == DeliveryState::kSkipped;
  if (replay.dead_letter_id == 0) {
    if (outcome.state == DeliveryState::kDeadLettered && !replay.dry_run) AddDeadLetter(entry, outcome);
    return replays_.End(replay);
  }
  if (!done) return GiveUpAgain(replay, outcome);
  replays_.End(replay);
  parts_.states.RemoveDeadLetter(replay.dead_letter_id);
  DeadLetterRemoved();
  SaveRedriven(outcome);  // from here on that is how the event stands
  Show(outcome);
}

void Subscription::GiveUpAgain(const Replay& replay, const DeliveryRecord& outcome) {
  // The redrive has the letter until it is saved: it has not ended before.
  const auto save = [weak = weak_from_this(), replay, outcome](absl::StatusOr<std::vector<DeadLetter>> letters) {
    const auto self = weak.lock();
    if (!self || self->ended_) return;
    Parts& parts = self->parts_;
    if (absl::IsResourceExhausted(letters.status())) {
      parts.timers.Schedule(parts.clock.SteadyNow() + kAskAgainAfter, [weak, replay, outcome] {
        if (const auto later = weak.lock()) later->GiveUpAgain(replay, outcome);
      });
      return;
    }
    if (letters.ok() && !letters->empty() && letters->front().id == replay.dead_letter_id) {
      DeadLetter& letter = letters->front();
      AddOutcome(outcome, letter);
      letter.time = parts.clock.SystemNow();
      parts.states.SaveDeadLetter(std::move(letter));
    } else {
      parts.logger.Error("redrive_outcome_not_saved listener=%s dead_letter=%d redrive=%s error=\"%s\"", *self->name_,
                         replay.dead_letter_id, replay.replay_id, letters.status().ToString());
    }
    self->replays_.End(replay);
  };
  parts_.states.ReadDeadLetters(replay.dead_letter_id - 1, 1, SIZE_MAX, save);
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
  for (const auto& [slot, entry] : window_.entries()) {
    if (entry->state != State::kInFlight && entry->event->expire_time && !entry->replay) {
      const Duration left = LeftOf(*entry->event);
      if (left <= Duration::zero()) {
        expired.push_back(slot);
        continue;
      }
      next = std::min(next, now + left);
    }
    if (entry->state != State::kInFlight && entry->state != State::kBackoff) continue;
    if (entry->due > now) {
      next = std::min(next, entry->due);
    } else if (entry->state == State::kInFlight) {
      missed.push_back(slot);
    } else {
      window_.SetState(*entry, State::kReady);
      SetRowState(*entry, DeliveryState::kQueued);
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

}  // namespace pvebus::bus
