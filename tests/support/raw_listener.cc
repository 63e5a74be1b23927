#include "tests/support/raw_listener.h"

#include <utility>

#include "sdk/status/status.h"
#include "tests/support/bus_process.h"
#include "tests/support/messages.h"

namespace pvebus::testing {

RawListener::RawListener(const std::string& address, Reading reading)
    : stub_(bus::v1::ListenerService::NewStub(SeparateChannel(address))) {
  stream_ = stub_->Listen(&context_);
  if (reading == Reading::kAlways) StartReading();
}

RawListener::RawListener(const std::string& address, const bus::v1::Registration& registration, Reading reading)
    : RawListener(address, reading) {
  Register(registration);
}

RawListener::~RawListener() {
  context_.TryCancel();
  if (reader_.joinable()) {
    reader_.join();
  } else {
    stream_->Finish();
  }
}

void RawListener::StartReading() {
  reader_ = std::thread([this] { Read(); });
}

void RawListener::Read() {
  for (bus::v1::ListenResponse response; stream_->Read(&response);) {
    MutexLock lock(mutex_);
    Sort(response);
    changed_.NotifyAll();
  }
  absl::Status status = FromGrpcStatus(stream_->Finish());
  MutexLock lock(mutex_);
  end_ = std::move(status);
  changed_.NotifyAll();
}

void RawListener::Sort(bus::v1::ListenResponse& response) {
  switch (response.message_case()) {
    case bus::v1::ListenResponse::kRegistered:
      registered_ = response.registered();
      break;
    case bus::v1::ListenResponse::kDeliveries:
      for (auto& delivery : *response.mutable_deliveries()->mutable_deliveries()) deliveries_.push_back(std::move(delivery));
      break;
    case bus::v1::ListenResponse::kConfirmations:
      for (auto& one : *response.mutable_confirmations()->mutable_confirmations()) confirmations_.push_back(std::move(one));
      break;
    case bus::v1::ListenResponse::kHeartbeat:
      ++heartbeats_;
      break;
    case bus::v1::ListenResponse::kCaughtUp:
      caught_up_ = true;
      break;
    case bus::v1::ListenResponse::kDrain:
      drain_ = true;
      break;
    case bus::v1::ListenResponse::MESSAGE_NOT_SET:
      ADD_FAILURE() << name_ << " got a message that says nothing";
      break;
  }
}

template <typename Predicate>
bool RawListener::Await(const char* what, std::chrono::milliseconds timeout, Predicate predicate) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  while (!predicate()) {
    const bool over = std::chrono::steady_clock::now() >= deadline;
    if (end_ || over) {
      ADD_FAILURE() << name_ << " waited " << timeout.count() << " ms for " << what
                    << (end_ ? "; the stream ended: " + end_->ToString() : std::string("; it did not come"));
      return false;
    }
    changed_.WaitUntil(mutex_, deadline);
  }
  return true;
}

bool RawListener::Send(const bus::v1::ListenRequest& message) { return stream_->Write(message); }

void RawListener::Register(const bus::v1::Registration& registration) {
  name_ = registration.listener();
  bus::v1::ListenRequest message;
  *message.mutable_registration() = registration;
  Send(message);
}

void RawListener::Ack(uint64_t delivery_id, bool confirm) {
  bus::v1::ListenRequest message;
  auto& settlement = *message.mutable_settlements()->add_settlements();
  settlement.set_delivery_id(delivery_id);
  settlement.set_confirm(confirm);
  settlement.mutable_acknowledgement();
  Send(message);
}

void RawListener::Reject(uint64_t delivery_id, bus::v1::Rejection rejection, bool confirm) {
  bus::v1::ListenRequest message;
  auto& settlement = *message.mutable_settlements()->add_settlements();
  settlement.set_delivery_id(delivery_id);
  settlement.set_confirm(confirm);
  *settlement.mutable_rejection() = std::move(rejection);
  Send(message);
}

void RawListener::Extend(uint64_t delivery_id, std::chrono::milliseconds ack_deadline) {
  bus::v1::ListenRequest message;
  message.mutable_extension()->set_delivery_id(delivery_id);
  *message.mutable_extension()->mutable_ack_deadline() = ProtoDuration(ack_deadline);
  Send(message);
}

void RawListener::Heartbeat() {
  bus::v1::ListenRequest message;
  *message.mutable_heartbeat()->mutable_send_time() = ProtoTime(std::chrono::system_clock::now());
  Send(message);
}

void RawListener::UpdateFlow(uint32_t max_in_flight) {
  bus::v1::ListenRequest message;
  message.mutable_flow_update()->set_max_in_flight(max_in_flight);
  Send(message);
}

void RawListener::Drain() {
  bus::v1::ListenRequest message;
  message.mutable_drain()->set_reason("test");
  Send(message);
}

void RawListener::HalfClose() { stream_->WritesDone(); }

void RawListener::Cancel() { context_.TryCancel(); }

bus::v1::Registered RawListener::WaitRegistered(std::chrono::milliseconds timeout) {
  MutexLock lock(mutex_);
  const bool there =
      Await("its registration", timeout, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return registered_.has_value(); });
  return there ? *registered_ : bus::v1::Registered();
}

bus::v1::Delivery RawListener::NextDelivery(std::chrono::milliseconds timeout) {
  MutexLock lock(mutex_);
  const bool there = Await("a delivery", timeout, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return !deliveries_.empty(); });
  if (!there) return {};
  bus::v1::Delivery delivery = std::move(deliveries_.front());
  deliveries_.pop_front();
  return delivery;
}

std::optional<bus::v1::Delivery> RawListener::NextDeliveryIfAny(std::chrono::milliseconds timeout) {
  const SteadyTime end = std::chrono::steady_clock::now() + timeout;
  MutexLock lock(mutex_);
  while (deliveries_.empty() && changed_.WaitUntil(mutex_, end)) {
  }
  if (deliveries_.empty()) return std::nullopt;
  bus::v1::Delivery delivery = std::move(deliveries_.front());
  deliveries_.pop_front();
  return delivery;
}

std::vector<bus::v1::Delivery> RawListener::NextDeliveries(size_t count, std::chrono::milliseconds timeout) {
  MutexLock lock(mutex_);
  const std::string what = std::to_string(count) + " deliveries";
  Await(what.c_str(), timeout, [this, count]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return deliveries_.size() >= count; });
  const auto end = deliveries_.begin() + static_cast<std::ptrdiff_t>(std::min(count, deliveries_.size()));
  std::vector<bus::v1::Delivery> taken(deliveries_.begin(), end);
  deliveries_.erase(deliveries_.begin(), end);
  taken.resize(count);
  return taken;
}

bool RawListener::NoDeliveryWithin(std::chrono::milliseconds silence) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + silence;
  MutexLock lock(mutex_);
  while (deliveries_.empty() && std::chrono::steady_clock::now() < deadline) changed_.WaitUntil(mutex_, deadline);
  return deliveries_.empty();
}

bus::v1::Confirmation RawListener::NextConfirmation(std::chrono::milliseconds timeout) {
  MutexLock lock(mutex_);
  const bool there =
      Await("a confirmation", timeout, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return !confirmations_.empty(); });
  if (!there) return {};
  bus::v1::Confirmation confirmation = std::move(confirmations_.front());
  confirmations_.pop_front();
  return confirmation;
}

bool RawListener::WaitCaughtUp(std::chrono::milliseconds timeout) {
  MutexLock lock(mutex_);
  return Await("caught_up", timeout, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return caught_up_; });
}

bool RawListener::WaitDrain(std::chrono::milliseconds timeout) {
  MutexLock lock(mutex_);
  return Await("drain", timeout, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return drain_; });
}

absl::Status RawListener::WaitEnd(std::chrono::milliseconds timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  MutexLock lock(mutex_);
  while (!end_ && std::chrono::steady_clock::now() < deadline) changed_.WaitUntil(mutex_, deadline);
  if (!end_) {
    ADD_FAILURE() << name_ << " waited " << timeout.count() << " ms for the end of the stream";
    return absl::DeadlineExceededError("the stream has not ended");
  }
  return *end_;
}

bool RawListener::ended() {
  MutexLock lock(mutex_);
  return end_.has_value();
}

size_t RawListener::heartbeats() {
  MutexLock lock(mutex_);
  return heartbeats_;
}

}  // namespace pvebus::testing
