#include "bus-service/core/testing/delivery_model.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"

namespace pvebus::bus {
namespace {

constexpr size_t kIdsKept = 16;

}  // namespace

void DeliveryModel::Broke(const char* promise, const std::string& what) {
  broken_.push_back(absl::StrFormat("%s at %s: %s", promise, name_, what));
}

void DeliveryModel::Owe(EventPtr event) {
  const Sequence sequence = event->sequence;
  deliveries_[sequence] = Delivery();
  deliveries_[sequence].event = std::move(event);
}

void DeliveryModel::MayOwe(EventPtr event) {
  const auto [it, is_new] = deliveries_.try_emplace(event->sequence);
  if (!is_new) return;
  it->second.event = std::move(event);
  it->second.state = State::kDone;
}

void DeliveryModel::BeginSession(uint32_t max_in_flight) {
  connected_ = true;
  draining_ = false;
  window_ = max_in_flight;
}

void DeliveryModel::LoseSession(SteadyTime, SystemTime system_now, uint32_t max_lost_sessions) {
  connected_ = false;
  draining_ = false;
  given_ids_.clear();
  for (auto& [sequence, delivery] : deliveries_) {
    delivery.ids.clear();
    if (delivery.state != State::kInFlight) continue;
    --delivery.attempts;
    if (HasExpired(*delivery.event, system_now)) {
      Finish(delivery, DeliveryState::kExpired);
    } else if (++delivery.lost_sessions >= max_lost_sessions) {
      Finish(delivery, DeliveryState::kDeadLettered);
    } else {
      delivery.state = State::kWaiting;
    }
  }
}

void DeliveryModel::Sent(const OutgoingDelivery& sent, SteadyTime now) {
  const Event& event = *sent.event;
  const std::string what = absl::StrFormat("event %d, attempt %d", event.sequence, sent.attempt);
  if (!can_receive()) Broke("BrokeSilence", what + " came to who is away, paused or leaving");
  if (!deliveries_.contains(event.sequence)) return Broke("BrokeMatchedOnce", what + " is not owed");
  Delivery& delivery = deliveries_.at(event.sequence);
  if (delivery.state == State::kDone && event.sequence >= again_from_ && event.sequence < again_until_) Owe(delivery.event);
  if (delivery.state == State::kDone) Broke("BrokeMatchedOnce", what + " was settled");
  if (delivery.state == State::kInFlight) Broke("BrokeMatchedOnce", what + " is in flight already");
  if (delivery.state == State::kBackoff) Broke("BrokeBackoff", what + " came too early");
  if (sent.attempt != delivery.attempts + 1 || sent.attempt > policy_.max_attempts) {
    Broke("BrokeAttempts", absl::StrFormat("%s, expected %d of %d", what, delivery.attempts + 1, policy_.max_attempts));
  }
  for (const auto& [sequence, other] : deliveries_) {
    if (other.state == State::kDone || sequence == event.sequence || other.event->ordering_key != event.ordering_key) continue;
    // After a move back the older ones may be found only later.
    const bool overtakes = sequence < event.sequence && again_until_ == 0;
    if (overtakes || other.state == State::kInFlight)
      Broke("BrokeOrderPerKey", absl::StrFormat("%s came before %d was settled", what, sequence));
  }
  if (!given_ids_.insert(sent.delivery_id).second) Broke("BrokeMatchedOnce", what + " came with an id that was used");
  if (Count(State::kInFlight) + 1 > window_) Broke("BrokeWindow", absl::StrFormat("%s is more than %d", what, window_));
  delivery.state = State::kInFlight;
  delivery.attempts = sent.attempt;
  delivery.due = now + policy_.ack_deadline;
  delivery.latest_due = delivery.due + policy_.max_ack_extension;
  delivery.newest_id = sent.delivery_id;
  delivery.ids.push_back(sent.delivery_id);
  if (delivery.ids.size() > kIdsKept) delivery.ids.erase(delivery.ids.begin());
}

ConfirmationStatus DeliveryModel::Settle(const Settlement& settlement, SteadyTime now, SystemTime system_now) {
  using Outcome = Settlement::Outcome;
  const auto found = std::find_if(deliveries_.begin(), deliveries_.end(), [&settlement](const auto& entry) {
    const auto& ids = entry.second.ids;
    return entry.second.state != State::kDone && std::find(ids.begin(), ids.end(), settlement.delivery_id) != ids.end();
  });
  if (found == deliveries_.end()) {
    return given_ids_.contains(settlement.delivery_id) ? ConfirmationStatus::kAlreadySettled
                                                       : ConfirmationStatus::kUnknownDelivery;
  }
  Delivery& delivery = found->second;
  const bool late = delivery.state != State::kInFlight || delivery.newest_id != settlement.delivery_id;
  if (late && (settlement.outcome == Outcome::kRetry || settlement.outcome == Outcome::kRelease))
    return ConfirmationStatus::kAlreadySettled;
  delivery.answered = true;
  switch (settlement.outcome) {
    case Outcome::kAcknowledge:
      Finish(delivery, DeliveryState::kSucceeded);
      break;
    case Outcome::kDeadLetter:
      Finish(delivery, DeliveryState::kDeadLettered);
      break;
    case Outcome::kSkip:
      Finish(delivery, DeliveryState::kSkipped);
      break;
    case Outcome::kRetry:
      Fail(delivery, settlement.retry_delay, now, system_now);
      break;
    case Outcome::kRelease:
      --delivery.attempts;
      if (HasExpired(*delivery.event, system_now)) {
        Finish(delivery, DeliveryState::kExpired);
      } else if (draining_ && !settlement.retry_delay) {
        delivery.answered = false;
        delivery.state = State::kWaiting;
        delivery.ids.clear();
      } else {
        BackOff(delivery, settlement.retry_delay.value_or(Backoff(1)), now);
      }
      break;
  }
  return late ? ConfirmationStatus::kAcceptedLate : ConfirmationStatus::kAccepted;
}

Duration DeliveryModel::Backoff(uint32_t failed_attempts) const {
  const double wait =
      std::min(static_cast<double>(policy_.minimum_backoff.count()) * std::pow(policy_.backoff_multiplier, failed_attempts - 1),
               static_cast<double>(policy_.maximum_backoff.count()));
  return Duration(static_cast<int64_t>(wait));
}

void DeliveryModel::Fail(Delivery& delivery, std::optional<Duration> delay, SteadyTime now, SystemTime system_now) {
  delivery.answered = true;
  if (HasExpired(*delivery.event, system_now)) return Finish(delivery, DeliveryState::kExpired);
  if (delivery.attempts >= policy_.max_attempts) return Finish(delivery, DeliveryState::kDeadLettered);
  BackOff(delivery, delay.value_or(Backoff(delivery.attempts)), now);
}

void DeliveryModel::BackOff(Delivery& delivery, Duration wait, SteadyTime now) {
  delivery.state = State::kBackoff;
  delivery.due = now + wait;
}

void DeliveryModel::Finish(Delivery& delivery, DeliveryState outcome) {
  delivery.state = State::kDone;
  delivery.outcome = outcome;
  delivery.ids.clear();
}

void DeliveryModel::Extend(uint64_t delivery_id, std::optional<Duration> ack_deadline, SteadyTime now) {
  for (auto& [sequence, delivery] : deliveries_) {
    if (delivery.state != State::kInFlight || delivery.newest_id != delivery_id) continue;
    delivery.due = std::min(now + ack_deadline.value_or(policy_.ack_deadline), delivery.latest_due);
  }
}

void DeliveryModel::TimePasses(SteadyTime now, SystemTime system_now) {
  for (auto& [sequence, delivery] : deliveries_) {
    if (delivery.state == State::kInFlight && delivery.due <= now) {
      Fail(delivery, std::nullopt, now, system_now);
    } else if (delivery.state == State::kBackoff && delivery.due <= now) {
      delivery.state = State::kWaiting;
    }
    const bool may_expire = delivery.state == State::kWaiting || delivery.state == State::kBackoff;
    if (may_expire && HasExpired(*delivery.event, system_now)) Finish(delivery, DeliveryState::kExpired);
  }
}

void DeliveryModel::Seek(Sequence target, Sequence read_until) {
  for (auto& [sequence, delivery] : deliveries_) {
    if (sequence < target && delivery.state != State::kDone) Finish(delivery, DeliveryState::kSkipped);
  }
  if (target >= read_until) {
    if (target >= again_until_) again_from_ = again_until_ = 0;
    return;
  }
  moved_back_ = true;
  again_until_ = std::max(again_until_, read_until);
  again_from_ = again_from_ == 0 ? target : std::min(again_from_, target);
}

uint64_t DeliveryModel::Count(State state) const {
  return static_cast<uint64_t>(
      std::count_if(deliveries_.begin(), deliveries_.end(), [state](const auto& entry) { return entry.second.state == state; }));
}

uint64_t DeliveryModel::PerhapsOwedAgain() const {
  return static_cast<uint64_t>(std::count_if(deliveries_.begin(), deliveries_.end(), [this](const auto& entry) {
    return entry.second.state == State::kDone && entry.first >= again_from_ && entry.first < again_until_;
  }));
}

uint64_t DeliveryModel::ExpiredFrom(Sequence sequence) const {
  return static_cast<uint64_t>(std::count_if(deliveries_.lower_bound(sequence), deliveries_.end(), [](const auto& entry) {
    return entry.second.state == State::kDone && entry.second.outcome == DeliveryState::kExpired;
  }));
}

bool DeliveryModel::BusyWithAncestor(const Event& event, const std::map<std::string, EventPtr>& events_by_id) const {
  for (auto parent = events_by_id.find(event.parent_event_id); parent != events_by_id.end();
       parent = events_by_id.find(parent->second->parent_event_id)) {
    const auto found = deliveries_.find(parent->second->sequence);
    if (found != deliveries_.end() && found->second.state == State::kInFlight) return true;
  }
  return false;
}

std::vector<Sequence> DeliveryModel::Overdue(const std::map<std::string, EventPtr>& events_by_id) const {
  std::vector<Sequence> overdue;
  if (!can_receive() || Count(State::kInFlight) >= window_ || Owed() + PerhapsOwedAgain() > 200) return overdue;
  std::set<std::string> blocked_keys;
  for (const auto& [sequence, delivery] : deliveries_) {
    if (delivery.state == State::kInFlight ||
        (delivery.state == State::kDone && sequence >= again_from_ && sequence < again_until_)) {
      blocked_keys.insert(delivery.event->ordering_key);
    }
  }
  for (const auto& [sequence, delivery] : deliveries_) {
    if (delivery.state == State::kDone) continue;
    const bool first = blocked_keys.insert(delivery.event->ordering_key).second;
    if (first && delivery.state == State::kWaiting && !BusyWithAncestor(*delivery.event, events_by_id))
      overdue.push_back(sequence);
  }
  return overdue;
}

}  // namespace pvebus::bus
