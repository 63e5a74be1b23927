#include "sdk/client/publisher.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "grpc/support/time.h"
#include "pvebus/bus/v1/bus_service.grpc.pb.h"
#include "sdk/base/backoff.h"
#include "sdk/base/error.h"
#include "sdk/base/mutex.h"
#include "sdk/base/random.h"
#include "sdk/client/proto_time.h"
#include "sdk/client/random_id.h"
#include "sdk/status/status.h"

namespace pvebus::client {
namespace {

using std::chrono::milliseconds;

constexpr BackoffPolicy kRepeatBackoff{
    .minimum = milliseconds(50), .maximum = milliseconds(2000), .multiplier = 2, .jitter = 0.3};
// A bus that asks to be called again asks many at once.
constexpr double kRetryDelaySpread = 0.1;
constexpr milliseconds kMaxDeadline = std::chrono::hours(24);

// How long to wait before `status` may be tried again; nothing when it must not.
std::optional<Duration> WaitBeforeRepeat(const absl::Status& status, Backoff& backoff, Random& random) {
  if (const auto asked = RetryDelay(status)) {
    const Duration least = std::max<Duration>(*asked, milliseconds(1));
    return std::chrono::duration_cast<Duration>(least * random.Uniform(1, 1 + kRetryDelaySpread));
  }
  if (status.code() == absl::StatusCode::kUnavailable) return backoff.Next();
  return std::nullopt;
}

// False when `stop` was requested first.
bool Pause(Duration wait, const std::stop_token& stop) {
  Mutex mu;
  CondVar stopped;
  std::stop_callback wake(stop, [&] {
    MutexLock lock(mu);
    stopped.NotifyAll();
  });
  MutexLock lock(mu);
  const SteadyTime end = std::chrono::steady_clock::now() + wait;
  while (!stop.stop_requested() && stopped.WaitUntil(mu, end)) {
  }
  return !stop.stop_requested();
}

}  // namespace

struct Publisher::State {
  State(const std::shared_ptr<grpc::Channel>& channel, std::string source_name, const Clock& steady_clock)
      : stub(bus::v1::BusService::NewStub(channel)), source(std::move(source_name)), clock(steady_clock) {}

  // Calls until it succeeds, must not be repeated, or `deadline` has no room for another try.
  template <typename Response, typename Call>
  absl::StatusOr<Response> Repeat(milliseconds deadline, const std::stop_token& stop, Call call) {
    const SteadyTime end = clock.SteadyNow() + std::min(deadline, kMaxDeadline);
    Backoff backoff(kRepeatBackoff, random);
    for (;;) {
      grpc::ClientContext context;
      const Duration left = end - clock.SteadyNow();
      context.set_deadline(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(left.count(), GPR_TIMESPAN)));
      Response response;
      absl::Status status;
      {
        std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
        status = FromGrpcStatus(call(context, response));
      }
      if (status.ok()) return response;
      const auto wait = WaitBeforeRepeat(status, backoff, random);
      if (!wait || clock.SteadyNow() + *wait >= end) return status;
      if (!Pause(*wait, stop)) return absl::CancelledError("stopped while waiting to publish again");
    }
  }

  void Complete(bus::v1::PublishRequest& request) {
    if (request.has_event() && request.event().source().empty()) request.mutable_event()->set_source(source);
    if (request.request_id().empty()) request.set_request_id(RandomId(random));
  }

  const std::unique_ptr<bus::v1::BusService::Stub> stub;
  const std::string source;
  const Clock& clock;
  LockedRandom random;
};

Publisher::Publisher(std::shared_ptr<grpc::Channel> channel, std::string source, const Clock& clock)
    : state_(std::make_unique<State>(std::move(channel), std::move(source), clock)) {}

Publisher::~Publisher() = default;

absl::StatusOr<bus::v1::PublishResponse> Publisher::Publish(event::v1::SystemEvent event, const PublishOptions& options) const {
  bus::v1::PublishRequest request;
  *request.mutable_event() = std::move(event);
  request.set_request_id(options.request_id);
  request.set_wait_policy(options.wait_policy);
  if (options.wait_timeout) *request.mutable_wait_timeout() = ToProto(*options.wait_timeout);
  request.set_validate_only(options.validate_only);
  request.mutable_required_listeners()->Assign(options.required_listeners.begin(), options.required_listeners.end());
  if (options.expected_last_sequence) request.set_expected_last_sequence(*options.expected_last_sequence);
  state_->Complete(request);
  return state_->Repeat<bus::v1::PublishResponse>(options.deadline, options.stop, [&](auto& context, auto& response) {
    return state_->stub->Publish(&context, request, &response);
  });
}

absl::StatusOr<bus::v1::BatchPublishResponse> Publisher::BatchPublish(bus::v1::BatchPublishRequest request,
                                                                      milliseconds deadline) const {
  for (auto& one : *request.mutable_requests()) state_->Complete(one);
  return state_->Repeat<bus::v1::BatchPublishResponse>(
      deadline, {}, [&](auto& context, auto& response) { return state_->stub->BatchPublish(&context, request, &response); });
}

absl::StatusOr<bus::v1::PublishResult> Publisher::GetResult(const bus::v1::GetPublishResultRequest& request,
                                                            milliseconds deadline) const {
  auto response = state_->Repeat<bus::v1::GetPublishResultResponse>(
      deadline, {}, [&](auto& context, auto& answer) { return state_->stub->GetPublishResult(&context, request, &answer); });
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_result());
}

}  // namespace pvebus::client
