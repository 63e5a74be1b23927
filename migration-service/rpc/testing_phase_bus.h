#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "sdk/base/mutex.h"
#include "sdk/client/fake_bus.h"
#include "sdk/hook_service/answer.h"
#include "sdk/hooks/hook_chain.h"

namespace pvebus::migration {

// A bus that has the hooks of a chain run for what is published, as the listener migration-hooks, before Publish ends; one event
// at a time, as the bus delivers those of one key. Owned by the test. Any thread.
class PhaseBus {
 public:
  // Requires: the chain outlives it.
  explicit PhaseBus(hooks::HookChain& chain) : chain_(chain) {
    bus_.OnPublish([this](auto&, const bus::v1::PublishRequest& request, bus::v1::PublishResponse& response) {
      return Publish(request, response);
    });
  }

  const std::string& address() const { return bus_.address(); }
  // Runs once, after the next event was accepted and before its hooks run.
  void BeforeHooks(std::function<void()> what) {
    MutexLock lock(mu_);
    before_ = std::move(what);
  }
  // The hooks do not run; their row is in this state.
  void Keep(bus::v1::DeliveryState state) {
    MutexLock lock(mu_);
    kept_ = state;
  }
  void Refuse(const grpc::Status& status) {
    MutexLock lock(mu_);
    refusal_ = status;
  }
  std::vector<bus::v1::PublishRequest> published() {
    MutexLock lock(mu_);
    return published_;
  }

  // As somebody else who publishes it; the row of the hooks.
  bus::v1::ListenerResult Deliver(const event::v1::SystemEvent& event) {
    bus::v1::Delivery delivery;
    *delivery.mutable_event() = event;
    delivery.set_attempt(1);
    delivery.set_max_attempts(10);
    std::string refusal;
    bus::v1::ListenerResult row;
    row.set_listener("migration-hooks");
    const auto results = chain_.Run(client::EventContext(delivery, nullptr, {}), &refusal);
    const client::Answer answer = hook_service::AnswerFor(results, refusal);
    if (answer.is_acknowledgement()) {
      row.set_state(bus::v1::DELIVERY_STATE_SUCCEEDED);
      *row.mutable_hook_results() = answer.settlement().acknowledgement().hook_results();
      return row;
    }
    const bus::v1::Rejection& rejection = answer.settlement().rejection();
    row.set_state(rejection.mode() == bus::v1::REJECT_MODE_RETRY ? bus::v1::DELIVERY_STATE_RETRY_SCHEDULED
                                                                 : bus::v1::DELIVERY_STATE_DEAD_LETTERED);
    *row.mutable_error() = rejection.error();
    *row.mutable_hook_results() = rejection.hook_results();
    return row;
  }

 private:
  grpc::Status Publish(const bus::v1::PublishRequest& request, bus::v1::PublishResponse& response) {
    MutexLock turn(delivering_);
    std::function<void()> before;
    bus::v1::DeliveryState kept{};
    {
      MutexLock lock(mu_);
      if (!refusal_.ok()) return refusal_;
      published_.push_back(request);
      before = std::exchange(before_, nullptr);
      kept = kept_;
    }
    if (before) before();
    bus::v1::PublishResult& result = *response.mutable_result();
    result.set_event_id(request.event().event_id());
    bus::v1::ListenerResult& row = *result.add_listener_results();
    if (kept == bus::v1::DELIVERY_STATE_UNSPECIFIED) {
      row = Deliver(request.event());
    } else {
      row.set_listener("migration-hooks");
      row.set_state(kept);
    }
    return grpc::Status::OK;
  }

  hooks::HookChain& chain_;
  Mutex delivering_ ABSL_ACQUIRED_BEFORE(mu_);
  Mutex mu_;
  std::function<void()> before_ ABSL_GUARDED_BY(mu_);
  bus::v1::DeliveryState kept_ ABSL_GUARDED_BY(mu_) = bus::v1::DELIVERY_STATE_UNSPECIFIED;
  grpc::Status refusal_ ABSL_GUARDED_BY(mu_);
  std::vector<bus::v1::PublishRequest> published_ ABSL_GUARDED_BY(mu_);
  client::FakeBus bus_;
};

}  // namespace pvebus::migration
