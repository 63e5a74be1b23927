#include "bus-service/core/session.h"

#include <algorithm>

#include "bus-service/core/errors.h"
#include "bus-service/core/registry.h"
#include "bus-service/core/subscription.h"

namespace pvebus::bus {

Session::Session(Parts& parts, Registry& registry, SessionSink& sink, uint64_t number, std::string peer)
    : parts_(parts),
      registry_(registry),
      sink_(sink),
      number_(number),
      peer_(std::move(peer)),
      last_heard_(parts.clock.SteadyNow()) {
  lease_timer_ = parts_.timers.Schedule(last_heard_ + kRegistrationTimeout, [this] {
    lease_timer_.number = 0;
    End(RegistrationTimeout(kRegistrationTimeout), false);
  });
}

Session::~Session() {
  parts_.timers.Cancel(lease_timer_);
  parts_.timers.Cancel(heartbeat_timer_);
}

void Session::OnRegistration(Registration registration) {
  if (ended_) return;
  if (subscription_ || registering_) return OnMalformed(AlreadyRegistered(registration_.listener));
  Heard();
  registration_ = std::move(registration);
  StartPosition& position = registration_.start_position;
  if (position.kind != StartPosition::Kind::kTime) return Register();
  registering_ = true;
  registry_.Resolve(position, [this, alive = std::weak_ptr<int>(alive_), &position](absl::StatusOr<Sequence> sequence) {
    if (alive.expired() || ended_) return;
    registering_ = false;
    if (!sequence.ok()) return End(sequence.status(), false);
    position.kind = StartPosition::Kind::kSequence;
    position.sequence = *sequence;
    Register();
  });
}

void Session::Register() {
  auto admission = registry_.Admit(*this, registration_);
  if (!admission.ok()) return End(admission.status(), false);
  registration_.instance_id = *admission->instance_id;
  subscription_ = admission->subscription;
  epoch_ = admission->epoch;
  connect_time_ = parts_.clock.SystemNow();
  registered_ = RegisteredFrame{number_,
                                epoch_,
                                registration_.lease,
                                subscription_->next_sequence(),
                                admission->resumed,
                                admission->superseded_instance_id,
                                subscription_->policy(),
                                registration_.instance_id,
                                subscription_->max_in_flight()};
  registered_->next_sequence = subscription_->floor();
  last_sent_ = parts_.clock.SteadyNow();
  parts_.timers.Cancel(lease_timer_);
  CheckLease();
  CheckSilence();
  subscription_->Attach(*this, admission->instance_id, parts_.ledger.journaled_sequence());
  Wake();
}

bool Session::Registered(std::string_view got) {
  if (ended_) return false;
  Heard();
  if (subscription_) return true;
  if (registering_) return false;
  OnMalformed(RegistrationExpected(got));
  return false;
}

void Session::Heard() { last_heard_ = parts_.clock.SteadyNow(); }

void Session::OnSettlements(const std::vector<Settlement>& settlements) {
  if (!Registered("settlements")) return;
  std::vector<Confirmation> confirmations;
  bool when_durable = false;
  for (const Settlement& settlement : settlements) {
    ConfirmationStatus status = subscription_->Settle(settlement);
    if (status == ConfirmationStatus::kUnknownDelivery) status = StatusOfUnheld(settlement.delivery_id);
    const bool accepted = status == ConfirmationStatus::kAccepted || status == ConfirmationStatus::kAcceptedLate;
    if (settlement.confirm || status != ConfirmationStatus::kAccepted) confirmations.push_back({settlement.delivery_id, status});
    when_durable |= settlement.confirm && accepted;
  }
  subscription_->GoOn();
  if (when_durable) {
    ConfirmWhenDurable(std::move(confirmations));
  } else {
    confirmations_.insert(confirmations_.end(), confirmations.begin(), confirmations.end());
  }
  EndWhenDrained();
  Wake();
}

void Session::ConfirmWhenDurable(std::vector<Confirmation> confirmations) {
  subscription_->SaveProgress();
  unconfirmed_ += confirmations.size();
  parts_.states.WhenDurable(
      [this, alive = std::weak_ptr<int>(alive_), confirmations = std::move(confirmations)](const absl::Status& status) {
        if (alive.expired()) return;
        unconfirmed_ -= confirmations.size();
        // On a full disk they are safe when there is room again, and the journal says when to ask.
        if (absl::IsResourceExhausted(status) && subscription_) return ConfirmWhenDurable(confirmations);
        if (status.ok()) {
          confirmations_.insert(confirmations_.end(), confirmations.begin(), confirmations.end());
        } else {
          parts_.logger.Error("settlements_not_durable session=%d count=%d error=\"%s\"", number_, confirmations.size(),
                              status.ToString());
        }
        EndWhenDrained();
        Wake();
      });
}

ConfirmationStatus Session::StatusOfUnheld(uint64_t delivery_id) const {
  const bool was_ours = delivery_id >> kDeliveryBits == number_ &&
                        (delivery_id & ((uint64_t{1} << kDeliveryBits) - 1)) <= deliveries_ &&
                        (delivery_id & ((uint64_t{1} << kDeliveryBits) - 1)) != 0;
  return was_ours ? ConfirmationStatus::kAlreadySettled : ConfirmationStatus::kUnknownDelivery;
}

void Session::OnExtension(const Extension& extension) {
  if (!Registered("an extension")) return;
  if (!subscription_->Extend(extension)) Confirm(extension.delivery_id, StatusOfUnheld(extension.delivery_id));
  Wake();
}

void Session::OnHeartbeat() { Registered("a heartbeat"); }

void Session::OnFlowUpdate(uint32_t max_in_flight) {
  if (!Registered("a flow_update")) return;
  subscription_->SetMaxInFlight(max_in_flight);
}

void Session::OnDrain() {
  if (!Registered("a drain")) return;
  draining_ = true;
  subscription_->StopSending();
  EndWhenDrained();
  Wake();
}

void Session::OnMalformed(absl::Status status) { End(std::move(status), true); }

void Session::OnHalfClose() {
  half_closed_ = true;
  if (ended_) return;
  if (registering_) return;
  if (!subscription_) return End(RegistrationExpected("the end of the stream"), false);
  if (draining_) return End(absl::OkStatus(), true);  // what it did not answer is lost
  parts_.logger.Info("listener_half_closed listener=%s instance=%s", subscription_->name(), registration_.instance_id);
}

void Session::OnBroken() {
  if (!ended_) End(absl::CancelledError("the stream broke"), true);
}

void Session::End(absl::Status status, bool lost) {
  if (ended_) return;
  ended_ = std::move(status);
  parts_.timers.Cancel(lease_timer_);
  parts_.timers.Cancel(heartbeat_timer_);
  registered_.reset();
  drain_.reset();
  heartbeat_due_ = false;
  if (subscription_) {
    for (const auto& [sequence, entry] : subscription_->window().entries()) {
      if (entry->state == WindowEntry::State::kInFlight) Confirm(entry->delivery_id, ConfirmationStatus::kStaleSession);
    }
    const auto subscription = std::move(subscription_);
    subscription_ = nullptr;
    // Whoever leaves while the bus is leaving has lost nothing by its own fault.
    const bool counts = lost && !registry_.draining();
    registry_.Left(*this, *subscription, *ended_, counts ? Subscription::Leave::kLost : Subscription::Leave::kGraceful);
  }
  Wake();
}

void Session::Confirm(uint64_t delivery_id, ConfirmationStatus status) { confirmations_.push_back({delivery_id, status}); }

std::optional<Frame> Session::TakeFrame() {
  const auto frame = [this](Frame taken) -> std::optional<Frame> {
    last_sent_ = parts_.clock.SteadyNow();
    heartbeat_due_ = false;
    return taken;
  };
  if (registered_) {
    auto taken = std::move(*registered_);
    registered_.reset();
    return frame(std::move(taken));
  }
  if (!confirmations_.empty()) {
    constexpr size_t kMost = 10'000;
    const size_t count = std::min(confirmations_.size(), kMost);
    ConfirmationsFrame taken;
    taken.confirmations.assign(confirmations_.begin(), confirmations_.begin() + static_cast<ptrdiff_t>(count));
    confirmations_.erase(confirmations_.begin(), confirmations_.begin() + static_cast<ptrdiff_t>(count));
    return frame(std::move(taken));
  }
  EndWhenDrained();  // the last delivery may have missed its deadline
  if (ended_ || !subscription_) return std::nullopt;
  DeliveriesFrame deliveries;
  subscription_->TakeDeliveries(kFrameBytes, deliveries.deliveries);
  if (!deliveries.deliveries.empty()) return frame(std::move(deliveries));
  if (const auto sequence = subscription_->TakeCaughtUp()) return frame(CaughtUpFrame{*sequence});
  if (drain_) {
    auto taken = std::move(*drain_);
    drain_.reset();
    return frame(std::move(taken));
  }
  if (heartbeat_due_) return frame(HeartbeatFrame{parts_.clock.SystemNow()});
  return std::nullopt;
}

void Session::SetWriting(bool writing) {
  if (writing) {
    writing_since_ = parts_.clock.SteadyNow();
  } else {
    writing_since_.reset();
  }
}

Duration Session::WriteAge() const { return writing_since_ ? parts_.clock.SteadyNow() - *writing_since_ : Duration::zero(); }

SystemTime Session::lease_end() const {
  return parts_.clock.SystemNow() +
         std::chrono::duration_cast<SystemTime::duration>(last_heard_ + registration_.lease - parts_.clock.SteadyNow());
}

void Session::CheckLease() {
  lease_timer_.number = 0;
  const SteadyTime end = last_heard_ + registration_.lease;
  if (parts_.clock.SteadyNow() >= end) return End(LeaseExpired(registration_.lease), true);
  lease_timer_ = parts_.timers.Schedule(end, [this] { CheckLease(); });
}

void Session::CheckSilence() {
  heartbeat_timer_.number = 0;
  const Duration interval = registration_.lease / 3;
  const SteadyTime now = parts_.clock.SteadyNow();
  if (now >= last_sent_ + interval) {
    heartbeat_due_ = true;
    last_sent_ = now;
    Wake();
  }
  heartbeat_timer_ = parts_.timers.Schedule(last_sent_ + interval, [this] { CheckSilence(); });
}

void Session::BusDrain(Duration grace) {
  if (ended_) return;
  if (!subscription_) return End(Draining(), false);
  draining_ = true;
  subscription_->StopSending();
  drain_ = DrainFrame{"the bus is shutting down", grace};
  Wake();
}

void Session::EndWhenDrained() {
  if (ended_ || !draining_ || !subscription_ || subscription_->window().in_flight() > 0 || unconfirmed_ > 0) return;
  if (registry_.draining()) return;  // the bus ends its sessions itself
  End(absl::OkStatus(), false);
}

}  // namespace pvebus::bus
