#include "tests/bench/batch_publisher.h"

#include <optional>

#include "absl/strings/str_format.h"
#include "google/protobuf/arena.h"
#include "grpcpp/grpcpp.h"
#include "pvebus/bus/v1/bus_service.pb.h"
#include "tests/bench/load_generator.h"

namespace pvebus::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

}  // namespace

struct BatchPublisher::Call {
  std::optional<grpc::ClientContext> context;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  grpc::ByteBuffer response;
  grpc::Status status;
};

BatchPublisher::BatchPublisher(std::shared_ptr<grpc::Channel> channel) : stub_(std::move(channel)) {
  for (size_t slot = 0; slot < kKeys;) {
    bus::v1::BatchPublishRequest request;
    for (size_t i = 0; i < kBatch; ++i, ++slot) {
      auto& publish = *request.add_requests();
      *publish.mutable_event() = BenchEvent(slot);
      publish.set_wait_policy(bus::v1::WAIT_POLICY_DURABLE);
    }
    const grpc::Slice bytes(request.SerializeAsString());
    requests_.emplace_back(&bytes, 1);
  }
}

void BatchPublisher::Begin(Call& call) {
  call.context.emplace();
  call.response.Clear();
  call.reader =
      stub_.PrepareUnaryCall(&*call.context, "/pvebus.bus.v1.BusService/BatchPublish", requests_[next_request_], &queue_);
  next_request_ = (next_request_ + 1) % requests_.size();
  call.reader->StartCall();
  call.reader->Finish(&call.response, &call.status, &call);
}

absl::Status BatchPublisher::Check(Call& call) const {
  if (!call.status.ok()) {
    return absl::InternalError(absl::StrFormat("batch failed: %d %s", call.status.error_code(), call.status.error_message()));
  }
  google::protobuf::Arena arena;
  auto& response = *google::protobuf::Arena::CreateMessage<bus::v1::BatchPublishResponse>(&arena);
  if (!grpc::GenericDeserialize<grpc::ProtoBufferReader, bus::v1::BatchPublishResponse>(&call.response, &response).ok() ||
      response.responses_size() != static_cast<int>(kBatch)) {
    return absl::InternalError("the answer is none for this batch");
  }
  for (const auto& one : response.responses()) {
    if (one.has_error() || one.result().sequence() == 0) {
      return absl::InternalError("an event was not stored: " + one.ShortDebugString());
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::chrono::duration<double>> BatchPublisher::Run(size_t events, size_t outstanding) {
  std::vector<Call> calls(outstanding);
  absl::Status failure;
  size_t left = events / kBatch;
  size_t running = 0;
  const auto begin = SteadyClock::now();
  for (Call& call : calls) {
    if (left == 0) break;
    Begin(call);
    --left, ++running;
  }
  while (running > 0) {
    void* tag = nullptr;
    bool ok = false;
    queue_.Next(&tag, &ok);
    Call& call = *static_cast<Call*>(tag);
    --running;
    failure.Update(Check(call));
    if (!failure.ok() || left == 0) continue;
    Begin(call);
    --left, ++running;
  }
  if (!failure.ok()) return failure;
  return SteadyClock::now() - begin;
}

}  // namespace pvebus::bench
