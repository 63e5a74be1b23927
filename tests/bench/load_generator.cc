#include "tests/bench/load_generator.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_format.h"

namespace pvebus::bench {
namespace {

constexpr size_t kEventBytes = 256;
using SteadyClock = std::chrono::steady_clock;

}  // namespace

event::v1::SystemEvent BenchEvent(size_t slot) {
  event::v1::SystemEvent event;
  event.set_source("bench");
  event.set_ordering_key(absl::StrFormat("bench/%d", slot));
  auto& custom = *event.mutable_custom();
  custom.set_name("bench");
  auto& text = *(*custom.mutable_data())["text"].mutable_string_value();
  while (event.ByteSizeLong() < kEventBytes) text += 'x';
  return event;
}

struct LoadGenerator::Call {
  bus::v1::PublishRequest request;
  bus::v1::PublishResponse response;
  std::optional<grpc::ClientContext> context;
  std::unique_ptr<grpc::ClientAsyncResponseReader<bus::v1::PublishResponse>> reader;
  grpc::Status status;
  SteadyClock::time_point begin;
};

LoadGenerator::LoadGenerator(std::shared_ptr<grpc::Channel> channel, uint32_t listeners)
    : listeners_(listeners), stub_(bus::v1::BusService::NewStub(channel)) {}

void LoadGenerator::Begin(Call& call, size_t slot) {
  if (!call.request.has_event()) {
    *call.request.mutable_event() = BenchEvent(slot);
    if (listeners_ == 0) call.request.set_wait_policy(bus::v1::WAIT_POLICY_DURABLE);
  }
  call.response.Clear();
  call.context.emplace();
  call.begin = SteadyClock::now();
  call.reader = stub_->AsyncPublish(&*call.context, call.request, &queue_);
  call.reader->Finish(&call.response, &call.status, &call);
}

absl::Status LoadGenerator::Check(const Call& call) const {
  if (!call.status.ok()) {
    return absl::InternalError(absl::StrFormat("publish failed: %d %s", call.status.error_code(), call.status.error_message()));
  }
  const auto& result = call.response.result();
  const bool settled = listeners_ == 0 || result.outcome() == bus::v1::PUBLISH_OUTCOME_SUCCEEDED;
  if (result.sequence() == 0 || !settled || result.listener_results_size() != static_cast<int>(listeners_)) {
    return absl::InternalError("publish was not gathered: " + call.response.ShortDebugString());
  }
  return absl::OkStatus();
}

absl::StatusOr<Measurement> LoadGenerator::Run(size_t outstanding, size_t publishes) {
  std::vector<Call> calls(outstanding);
  std::vector<std::chrono::nanoseconds> latencies;
  latencies.reserve(publishes);
  absl::Status failure;
  size_t begun = 0;
  size_t running = 0;
  const auto begin = SteadyClock::now();
  for (; begun < outstanding && begun < publishes; ++begun, ++running) Begin(calls[begun], begun);
  while (running > 0) {
    void* tag = nullptr;
    bool ok = false;
    queue_.Next(&tag, &ok);
    Call& call = *static_cast<Call*>(tag);
    latencies.push_back(SteadyClock::now() - call.begin);
    --running;
    failure.Update(Check(call));
    if (failure.ok() && begun < publishes) {
      Begin(call, static_cast<size_t>(&call - calls.data()));
      ++begun;
      ++running;
    }
  }
  const std::chrono::duration<double> took = SteadyClock::now() - begin;
  if (!failure.ok()) return failure;
  std::sort(latencies.begin(), latencies.end());
  return Measurement{.p50 = latencies[latencies.size() / 2],
                     .p99 = latencies[latencies.size() * 99 / 100],
                     .per_second = static_cast<double>(publishes) / took.count()};
}

}  // namespace pvebus::bench
