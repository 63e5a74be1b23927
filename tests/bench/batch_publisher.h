#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"

namespace pvebus::bench {

// A publisher of batches as light as it can be: one thread, one completion queue, requests that are serialised once and sent
// again and again. No ordering key comes twice within `kKeys` events, so that no event waits for another. One thread.
class BatchPublisher {
 public:
  static constexpr size_t kBatch = 1000;
  static constexpr size_t kKeys = 10'000;

  explicit BatchPublisher(std::shared_ptr<grpc::Channel> channel);

  // Publishes so many events (whole batches), `outstanding` batches at any time, each answered when its events are journaled.
  // Fails when one of them was not stored.
  absl::StatusOr<std::chrono::duration<double>> Run(size_t events, size_t outstanding);

 private:
  struct Call;

  void Begin(Call& call);
  absl::Status Check(Call& call) const;

  grpc::GenericStub stub_;
  grpc::CompletionQueue queue_;
  std::vector<grpc::ByteBuffer> requests_;
  size_t next_request_ = 0;
};

}  // namespace pvebus::bench
