#pragma once

#include <algorithm>
#include <chrono>
#include <string>

#include "pvebus/bus/v1/bus_service.pb.h"
#include "tests/bench/measure.h"

namespace pvebus::bench {

// What every variant of the floor's server remembers of one publish: the reply it fills in row by row.
class FloorGather {
 public:
  // The request's event, made ready for delivery.
  static void Stamp(uint64_t sequence, event::v1::SystemEvent& event) {
    event.set_sequence(sequence);
    event.set_event_id("0190b5a0-0000-7000-8000-" + std::to_string(100'000'000'000 + sequence));
    event.mutable_publish_time()->set_seconds(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()));
  }

  void Begin(const event::v1::SystemEvent& event) {
    begin_ = std::chrono::steady_clock::now();
    auto& result = *response_.mutable_result();
    result.set_event_id(event.event_id());
    result.set_sequence(event.sequence());
    *result.mutable_publish_time() = event.publish_time();
  }

  // True when it was the last row.
  bool Acknowledged(const std::string& listener) {
    auto& result = *response_.mutable_result();
    auto& row = *result.add_listener_results();
    row.set_listener(listener);
    row.set_state(bus::v1::DELIVERY_STATE_SUCCEEDED);
    row.set_attempt(1);
    row.set_instance_id(listener);
    row.mutable_latency()->set_nanos(static_cast<int32_t>((std::chrono::steady_clock::now() - begin_).count()));
    if (result.listener_results_size() < kListeners) return false;
    auto& rows = *result.mutable_listener_results();
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.listener() < b.listener(); });
    result.set_outcome(bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
    result.set_matched_count(kListeners);
    result.set_succeeded_count(kListeners);
    result.set_settled(true);
    return true;
  }

  bus::v1::PublishResponse& response() { return response_; }

 private:
  std::chrono::steady_clock::time_point begin_;
  bus::v1::PublishResponse response_;
};

}  // namespace pvebus::bench
