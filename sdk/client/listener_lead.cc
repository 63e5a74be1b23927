// The leader's part of Listener::Core: the stream from connecting to its end.
#include <algorithm>
#include <utility>

#include "sdk/base/error.h"
#include "sdk/client/listener_core.h"
#include "sdk/client/proto_time.h"

namespace pvebus::client {
namespace {

// Before the registration is answered, connecting takes its time, however short the lease.
constexpr Duration kMinConnectPatience = std::chrono::seconds(5);
// A name in use is retried for so many leases: by then the bus has noticed that our earlier stream is gone.
constexpr int kNameInUseLeases = 2;

// What is left until the ack deadline by our clock.
Duration TimeLeft(const bus::v1::Delivery& delivery, SystemTime now) {
  return delivery.has_ack_deadline_time() ? std::chrono::duration_cast<Duration>(FromProto(delivery.ack_deadline_time()) - now)
                                          : Duration::max();
}

}  // namespace

bool Listener::Core::Lead() {
  if (!leading_session_) return Connect();
  leading_ = true;
  leading_session_->Flush();  // what a thread left behind that is now stuck in a handler
  const bool open = leading_session_->Read(message_);
  leading_ = false;
  if (!open) return EndSession();
  OnMessage(message_);
  return true;
}

bool Listener::Core::Connect() {
  bus::v1::Registration registration;
  {
    MutexLock lock(mu_);
    while (!stopping_ && clock_.SteadyNow() < connect_at_) changed_.WaitUntil(mu_, connect_at_);
    if (stopping_) return false;
    registration = NextRegistration();
    leading_session_ = session_ = std::make_shared<Session>(++sessions_, *stub_, clock_);
    registered_ = bus_drains_ = silent_ = false;
    patience_ = std::max(lease_, kMinConnectPatience);
    last_heard_ = clock_.SteadyNow();
    time_changed_.NotifyOne();
  }
  leading_session_->Open(registration);
  return true;
}

bus::v1::Registration Listener::Core::NextRegistration() {
  bus::v1::Registration registration = options_.registration;
  // The start position is for the first time; after that the listener goes on where it was.
  if (ever_registered_) registration.mutable_start_position()->set_resume(true);
  return registration;
}

void Listener::Core::OnMessage(bus::v1::ListenResponse& message) {
  switch (message.message_case()) {
    case bus::v1::ListenResponse::kRegistered:
      return OnRegistered(message.registered());
    case bus::v1::ListenResponse::kDeliveries:
      return OnDeliveries(*message.mutable_deliveries());
    case bus::v1::ListenResponse::kDrain:
      return OnDrain(message.drain());
    case bus::v1::ListenResponse::kConfirmations:
      OnConfirmations(message.confirmations());
      break;
    case bus::v1::ListenResponse::kCaughtUp:
      Tell(ListenerEvent::kCaughtUp, absl::OkStatus());
      break;
    case bus::v1::ListenResponse::kHeartbeat:
    case bus::v1::ListenResponse::MESSAGE_NOT_SET:
      break;
  }
  MutexLock lock(mu_);
  last_heard_ = clock_.SteadyNow();
}

void Listener::Core::OnRegistered(const bus::v1::Registered& registered) {
  last_failure_.clear();
  {
    MutexLock lock(mu_);
    registered_ = ever_registered_ = true;
    registered_at_ = last_heard_ = clock_.SteadyNow();
    if (const Duration lease = FromProto(registered.lease_duration()); lease > Duration::zero()) lease_ = lease;
    patience_ = lease_;
    const auto& policy = registered.effective_policy();
    if (policy.has_ack_deadline() && policy.has_max_ack_extension()) {
      deadlines_.SetPolicy(FromProto(policy.ack_deadline()), FromProto(policy.max_ack_extension()));
    }
    changed_.NotifyAll();
    time_changed_.NotifyOne();
  }
  logger_.Info("listener=%s state=registered session=%s epoch=%d instance=%s resumed=%d next_sequence=%d", name(),
               registered.session_id(), registered.session_epoch(), options_.registration.instance_id(), registered.resumed(),
               registered.next_sequence());
  Tell(ListenerEvent::kRegistered, absl::OkStatus());
}

void Listener::Core::OnDeliveries(bus::v1::Deliveries& deliveries) {
  const SystemTime system_now = clock_.SystemNow();
  MutexLock lock(mu_);
  last_heard_ = clock_.SteadyNow();
  for (auto& delivery : *deliveries.mutable_deliveries()) {
    deadlines_.Add(delivery.delivery_id(), last_heard_, TimeLeft(delivery, system_now));
    auto work = std::make_unique<client::Work>();
    work->session = leading_session_->number();
    work->delivery.Swap(&delivery);
    queue_.Add(std::move(work));
  }
  if (!takes_work()) ReleaseWaiting();
  if (deadlines_.next_due() < timer_wakes_at_) time_changed_.NotifyOne();
}

void Listener::Core::OnDrain(const bus::v1::Drain& drain) {
  {
    MutexLock lock(mu_);
    last_heard_ = clock_.SteadyNow();
    bus_drains_ = true;
    ReleaseWaiting();
  }
  logger_.Info("listener=%s state=bus_drains reason=\"%s\"", name(), drain.reason());
  Tell(ListenerEvent::kDraining, absl::UnavailableError(drain.reason()));
}

void Listener::Core::OnConfirmations(const bus::v1::Confirmations& confirmations) {
  for (const auto& confirmation : confirmations.confirmations()) {
    logger_.Write(LogLevel::kDebug, absl::StrFormat("listener=%s delivery=%d confirmation=%s", name(), confirmation.delivery_id(),
                                                    bus::v1::ConfirmationStatus_Name(confirmation.status())));
  }
}

bool Listener::Core::EndSession() {
  absl::Status ended = leading_session_->Finish();
  leading_session_ = nullptr;
  Verdict verdict;
  bool stopping = false;
  {
    MutexLock lock(mu_);
    if (silent_ && ended.code() == absl::StatusCode::kCancelled) {
      ended = absl::UnavailableError(absl::StrFormat("the bus said nothing for %d ms", patience_ / std::chrono::milliseconds(1)));
    }
    queue_.DropWaiting();  // they come again
    deadlines_.Clear();
    stopping = stopping_;
    verdict = Conclude(ended);
    if (!stopping && verdict != Verdict::kReconnect) final_status_ = ended;
    session_ = nullptr;
    registered_ = false;
    changed_.NotifyAll();
  }
  if (stopping) return false;
  if (verdict == Verdict::kReconnect) {
    // A bus that stays away is one change of state, however often it is tried.
    if (const std::string failure = ended.ToString(); failure != std::exchange(last_failure_, failure)) {
      logger_.Warning("listener=%s state=disconnected status=\"%s\"", name(), failure);
      Tell(ListenerEvent::kDisconnected, ended);
    }
    return true;
  }
  stop_source_.request_stop();
  logger_.Error("listener=%s state=gave_up status=\"%s\"", name(), ended.ToString());
  Tell(verdict == Verdict::kSuperseded ? ListenerEvent::kSuperseded : ListenerEvent::kRefused, ended);
  return false;
}

Verdict Listener::Core::Conclude(const absl::Status& ended) {
  const SteadyTime now = clock_.SteadyNow();
  if (registered_) {
    lost_at_ = now;
    // A stream that dies young is a failure, too: without this an event that kills it would be tried every 100 ms.
    if (bus_drains_ || now - registered_at_ >= options_.maximum_backoff) backoff_.Reset();
  }
  Verdict verdict = Judge(ended);
  if (verdict == Verdict::kNameInUse) {
    const bool may_be_ours = ever_registered_ && now - lost_at_ < kNameInUseLeases * lease_;
    verdict = may_be_ours ? Verdict::kReconnect : Verdict::kRefused;
  }
  const Duration asked = RetryDelay(ended).value_or(std::chrono::milliseconds(0));
  connect_at_ = now + std::max(backoff_.Next(), asked);
  return verdict;
}

}  // namespace pvebus::client
