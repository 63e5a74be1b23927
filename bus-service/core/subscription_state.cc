// How a subscription is kept, and made again from what was kept.
#include <algorithm>

#include "bus-service/core/subscription.h"

namespace pvebus::bus {
namespace {

using std::chrono::duration_cast;

constexpr Duration kLongestRetryDelay = std::chrono::hours(24);  // that a listener may ask for

// A publication that is being made again would be without what is saved now.
void NoteChange(Sequence sequence, Parts& parts) {
  if (const auto it = parts.recalling.find(sequence); it != parts.recalling.end()) it->second = true;
}

}  // namespace

Subscription::Subscription(Parts& parts, const Recovery::Listener& kept)
    : parts_(parts),
      name_(std::make_shared<const std::string>(kept.snapshot.name)),
      id_(kept.id),
      policy_(kept.snapshot.policy),
      max_in_flight_(kept.snapshot.max_in_flight),
      paused_(kept.snapshot.paused),
      instance_id_(std::make_shared<const std::string>(kept.snapshot.instance_id)),
      cursor_(parts, kept.snapshot.born_after, kept.progress.next_sequence, Interests(kept.interests)),
      backlog_(parts, cursor_),
      replays_(parts, id_),
      gaps_(kept.progress.gaps),
      incidents_(kept.snapshot.incidents),
      dead_letters_(kept.dead_letter_count),
      lost_deliveries_(kept.snapshot.lost_deliveries),
      lost_unknown_(!incidents_.empty() && incidents_.back().lost_at_least),
      last_error_(kept.snapshot.last_error) {
  configured_ = true;
  cursor_.SetWantedAgainUntil(kept.progress.wanted_again_until);
}

void Subscription::Restore(const Recovery::Listener& kept) {
  auto record = kept.deliveries.begin();
  for (const EventPtr& event : kept.unsettled) {
    const Sequence sequence = event->sequence;
    while (record != kept.deliveries.end() && record->sequence < sequence) ++record;
    const bool recorded = record != kept.deliveries.end() && record->sequence == sequence;
    const bool ended = recorded && IsFinal(record->state);
    // Its end was saved, but not the progress that says so too; unless an operator went back to it.
    if (ended && sequence >= kept.progress.wanted_again_until) continue;
    WindowEntry& entry = Load(event, sequence > cursor_.born_after() && !ended);
    if (!recorded || ended) continue;
    entry.attempt = record->attempt;
    entry.lost_sessions = record->lost_sessions;
    entry.failures = record->attempts;
    if (record->next_attempt_time == SystemTime()) continue;
    entry.released = record->state == DeliveryState::kQueued;
    const auto left = duration_cast<Duration>(record->next_attempt_time - parts_.clock.SystemNow());
    entry.due =
        parts_.clock.SteadyNow() + std::clamp(left, Duration::zero(), std::max(policy_.maximum_backoff, kLongestRetryDelay));
    window_.SetState(entry, WindowEntry::State::kBackoff);
    CheckAt(entry.due);
  }
  saved_at_ = kept.progress.counted_until;
  saved_next_ = kept.progress.next_sequence;
  backlog_.Restore(kept.progress.ahead, kept.progress.counted_until);
  replays_.Restore(kept);
}

void Subscription::Touch() {
  if (id_ == 0 || touched_) return;
  touched_ = true;
  parts_.touched.push_back(weak_from_this());
}

void Subscription::SaveProgress() {
  if (!touched_) return;
  touched_ = false;
  if (ended_) return;
  const Sequence first = parts_.log.first_sequence();
  gaps_.erase(gaps_.begin(), std::find_if(gaps_.begin(), gaps_.end(), [first](const Gap& gap) { return gap.last >= first; }));
  saved_at_ = parts_.ledger.journaled_sequence();
  saved_next_ = cursor_.next();
  parts_.states.SaveProgress(id_, CurrentProgress());
}

Progress Subscription::CurrentProgress() const {
  Progress progress{cursor_.next(),   cursor_.wanted_again_until(),      {}, gaps_,
                    backlog_.ahead(), parts_.ledger.journaled_sequence()};
  if (backlog_.counting()) {  // it would be lost: a start counts anew
    progress.ahead = 0;
    progress.counted_until = cursor_.next() - 1;
  }
  progress.unsettled.reserve(window_.size());
  for (const auto& [slot, entry] : window_.entries()) {
    if (!entry->replay) progress.unsettled.push_back(slot);
  }
  return progress;
}

void Subscription::Save(DeliveryRecord delivery) {
  if (id_ == 0) return;
  NoteChange(delivery.sequence, parts_);
  parts_.states.SaveDelivery(id_, std::move(delivery));
}

// What is kept of a delivery counts after a crash only when the progress that was saved names its event.
void Subscription::SaveOutcome(DeliveryRecord outcome) {
  if (outcome.sequence >= saved_next_) SaveProgress();
  Save(std::move(outcome));
}

void Subscription::SaveRedriven(DeliveryRecord delivery) {
  NoteChange(delivery.sequence, parts_);
  parts_.states.SaveRedriven(id_, std::move(delivery));
}

void Subscription::Changed() {
  changed_ = true;
  Touch();
}

void Subscription::EndUnsent(const Event& event, DeliveryState state, const ListenerError& error) {
  DeliveryRecord record;
  record.sequence = event.sequence;
  record.state = state;
  record.error = error;
  Save(std::move(record));
  Publication* publication = parts_.ledger.Find(event.sequence);
  ListenerRow* row = publication ? publication->FindRow(name_) : nullptr;
  if (!row || IsFinal(row->state)) return;
  parts_.ledger.SetAnswer(*publication, *row, error);
  parts_.gather.SetState(*publication, *row, state);
}

void TakeRecord(const DeliveryRecord& record, ListenerRow& row) {
  row.attempt = record.attempt;
  row.answered = record.answered;
  row.latency = record.latency;
  row.next_attempt_time = record.next_attempt_time;
  if (record.instance_id != *row.instance_id) row.instance_id = std::make_shared<const std::string>(record.instance_id);
  row.error = record.error ? std::make_unique<ListenerError>(*record.error) : nullptr;
  row.hook_results = record.hook_results;
  row.state = record.state;
}

bool Subscription::Describe(const Event& event, const DeliveryRecord* kept, ListenerRow& row) const {
  const Sequence sequence = event.sequence;
  if (sequence <= cursor_.born_after() || !cursor_.interests().MatchedThen(event)) return false;
  row.instance_id = instance_id_;
  if (kept) {
    TakeRecord(*kept, row);
    if (IsFinal(kept->state)) return true;
  }
  if (const WindowEntry* entry = window_.Find(sequence); entry && entry->counts) {
    row.attempt = entry->attempt;
    row.state = StateOf(*entry);
    return true;
  }
  if (sequence >= cursor_.next() && cursor_.Counts(event)) {
    row.state = HasExpired(event, parts_.clock.SystemNow()) ? DeliveryState::kExpired : DeliveryState::kQueued;
    return true;
  }
  if (id_ == 0) return false;  // how it ended at an ephemeral listener was not kept
  const bool jumped = HasGapAt(gaps_, sequence);
  row.state = jumped ? DeliveryState::kSkipped : DeliveryState::kSucceeded;
  if (!jumped) row.attempt = std::max<uint32_t>(row.attempt, 1);
  return true;
}

DeliveryState Subscription::StateOf(const WindowEntry& entry) {
  switch (entry.state) {
    case WindowEntry::State::kInFlight:
      return DeliveryState::kInFlight;
    case WindowEntry::State::kBackoff:
      return entry.released ? DeliveryState::kQueued : DeliveryState::kRetryScheduled;
    case WindowEntry::State::kDeferred:
      return DeliveryState::kDeferred;
    case WindowEntry::State::kReady:
      break;
  }
  return DeliveryState::kQueued;
}

}  // namespace pvebus::bus
