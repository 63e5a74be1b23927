#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "pvebus/bus/v1/bus_service.grpc.pb.h"

namespace pvebus::bench {

// The measurements of one run of a publisher.
struct Measurement {
  std::chrono::nanoseconds p50{};
  std::chrono::nanoseconds p99{};
  double per_second = 0;
};

// A publisher as light as it can be: one thread, one completion queue, `outstanding` calls at any time, each with an ordering
// key of its own, so that none waits for another. Fails when a publish does not come back SUCCEEDED from `listeners` rows. With
// none it returns when the event is journaled.
class LoadGenerator {
 public:
  LoadGenerator(std::shared_ptr<grpc::Channel> channel, uint32_t listeners);

  absl::StatusOr<Measurement> Run(size_t outstanding, size_t publishes);

 private:
  struct Call;

  void Begin(Call& call, size_t slot);
  absl::Status Check(const Call& call) const;

  const uint32_t listeners_;
  std::unique_ptr<bus::v1::BusService::Stub> stub_;
  grpc::CompletionQueue queue_;
};

// A custom event of 256 bytes as the bus will journal it.
event::v1::SystemEvent BenchEvent(size_t slot);

}  // namespace pvebus::bench
