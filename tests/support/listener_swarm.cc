#include "tests/support/listener_swarm.h"

#include <algorithm>
#include <atomic>
#include <future>

#include "sdk/base/mutex.h"
#include "tests/support/bus_process.h"

namespace pvebus::testing {

// One stream. A write is only started by the reaction to a read, and the next read only after it, so that there is one at a time.
class ListenerSwarm::Session final : public grpc::ClientBidiReactor<bus::v1::ListenRequest, bus::v1::ListenResponse> {
 public:
  Session(bus::v1::ListenerService::Stub& stub, const bus::v1::Registration& registration) {
    *outgoing_.mutable_registration() = registration;
    stub.async()->Listen(&context_, this);
    StartWrite(&outgoing_);
    StartRead(&incoming_);
    StartCall();
  }

  void Cancel() { context_.TryCancel(); }
  void WaitDone() { done_.get_future().wait(); }
  bool registered() const { return registered_; }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (incoming_.has_registered()) registered_ = true;
    outgoing_.Clear();
    for (const auto& delivery : incoming_.deliveries().deliveries()) {
      auto& settlement = *outgoing_.mutable_settlements()->add_settlements();
      settlement.set_delivery_id(delivery.delivery_id());
      settlement.mutable_acknowledgement();
    }
    if (outgoing_.has_settlements()) {
      StartWrite(&outgoing_);
    } else {
      StartRead(&incoming_);
    }
  }
  void OnWriteDone(bool ok) override {
    if (ok && outgoing_.has_settlements()) StartRead(&incoming_);
  }
  void OnDone(const grpc::Status&) override { done_.set_value(); }

  grpc::ClientContext context_;
  bus::v1::ListenRequest outgoing_;
  bus::v1::ListenResponse incoming_;
  std::atomic<bool> registered_ = false;
  std::promise<void> done_;
};

ListenerSwarm::ListenerSwarm(const std::string& address, const std::string& prefix, size_t count,
                             bus::v1::Registration registration) {
  constexpr size_t kPerConnection = 50;
  for (size_t i = 0; i < count; ++i) {
    if (i % kPerConnection == 0) stubs_.push_back(bus::v1::ListenerService::NewStub(SeparateChannel(address)));
    registration.set_listener(prefix + "-" + std::to_string(i));
    sessions_.push_back(std::make_unique<Session>(*stubs_.back(), registration));
  }
  WaitFor(
      "all listeners of the swarm to be registered", [&] { return registered() == count; }, std::chrono::seconds(30));
}

ListenerSwarm::~ListenerSwarm() {
  for (auto& session : sessions_) session->Cancel();
  for (auto& session : sessions_) session->WaitDone();
}

size_t ListenerSwarm::registered() const {
  return static_cast<size_t>(
      std::count_if(sessions_.begin(), sessions_.end(), [](const auto& session) { return session->registered(); }));
}

}  // namespace pvebus::testing
