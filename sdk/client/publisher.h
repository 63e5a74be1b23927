#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "pvebus/bus/v1/bus_service.pb.h"
#include "sdk/base/clock.h"

namespace pvebus::client {

struct PublishOptions {
  // Empty: the Publisher makes one, so that a retry of its own can never store the event twice.
  std::string request_id;
  bus::v1::WaitPolicy wait_policy = bus::v1::WAIT_POLICY_UNSPECIFIED;
  // How long the bus waits for listeners. Absent: the bus's default, 10 s.
  std::optional<std::chrono::milliseconds> wait_timeout;
  // Bound on the whole call, retries included.
  std::chrono::milliseconds deadline = std::chrono::seconds(40);
  bool validate_only = false;
  std::vector<std::string> required_listeners;
  std::optional<uint64_t> expected_last_sequence;
  // When it is requested the call ends with CANCELLED; whether the event was stored is then unknown.
  std::stop_token stop;
};

// Publishes events. Any thread; keeps no thread of its own. A call that failed with UNAVAILABLE, or that the bus asked to
// repeat later (RetryInfo), is repeated with jittered backoff under the same request_id until its deadline; nothing else is.
class Publisher {
 public:
  // `source` fills events that have none. Requires: `clock` outlives the Publisher.
  Publisher(std::shared_ptr<grpc::Channel> channel, std::string source, const Clock& clock);
  ~Publisher();

  absl::StatusOr<bus::v1::PublishResponse> Publish(event::v1::SystemEvent event, const PublishOptions& options = {}) const;
  // `request.requests` without a request_id get one each.
  absl::StatusOr<bus::v1::BatchPublishResponse> BatchPublish(bus::v1::BatchPublishRequest request,
                                                             std::chrono::milliseconds deadline = std::chrono::seconds(40)) const;
  absl::StatusOr<bus::v1::PublishResult> GetResult(const bus::v1::GetPublishResultRequest& request,
                                                   std::chrono::milliseconds deadline = std::chrono::seconds(40)) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pvebus::client
