#include "sdk/client/listener_core.h"

#include <algorithm>
#include <utility>

#include "sdk/client/proto_time.h"

namespace pvebus::client {
namespace {

using std::chrono::milliseconds;

constexpr Duration kDefaultLease = std::chrono::seconds(15);
// How long the bus has for ending the stream after the last answer.
constexpr Duration kFarewell = milliseconds(200);
// How long a cancelled stream may take to end; it takes microseconds.
constexpr Duration kCancelled = std::chrono::seconds(5);
// The leader, and one who writes for the timer while all handlers run.
constexpr int kThreadsBesideHandlers = 2;

Duration RequestedLease(const bus::v1::Registration& registration) {
  const Duration lease = FromProto(registration.lease_duration());
  return lease > Duration::zero() ? lease : kDefaultLease;
}

ListenerOptions Completed(ListenerOptions options, Random& random) {
  auto& registration = options.registration;
  if (registration.instance_id().empty()) registration.set_instance_id(RandomId(random));
  if (registration.conflict_policy() == bus::v1::CONFLICT_POLICY_UNSPECIFIED) {
    registration.set_conflict_policy(bus::v1::CONFLICT_POLICY_TAKEOVER_SAME_INSTANCE);
  }
  options.max_concurrency = std::max(options.max_concurrency, 1);
  options.minimum_backoff = std::max(options.minimum_backoff, milliseconds(1));
  options.maximum_backoff = std::max(options.maximum_backoff, options.minimum_backoff);
  return options;
}

}  // namespace

Listener::Core::Core(std::shared_ptr<grpc::Channel> channel, ListenerOptions options, Handler handler, const Publisher* publisher,
                     const Clock& clock, Logger& logger)
    : channel_(std::move(channel)),
      stub_(bus::v1::ListenerService::NewStub(channel_)),
      options_(Completed(std::move(options), random_)),
      handler_(std::move(handler)),
      publisher_(publisher),
      clock_(clock),
      logger_(logger),
      average_work_ns_(Duration(milliseconds(1)).count()),
      lease_(RequestedLease(options_.registration)),
      patience_(lease_),
      backoff_({.minimum = options_.minimum_backoff, .maximum = options_.maximum_backoff, .multiplier = 2, .jitter = 0.3},
               random_),
      recent_(options_.remembered_events),
      crew_(*this, options_.max_concurrency + kThreadsBesideHandlers) {}

Listener::Core::~Core() { Stop(milliseconds(0)); }

void Listener::Core::Start() {
  {
    MutexLock lock(mu_);
    if (started_ || stopping_) return;
    started_ = true;
  }
  timer_ = std::thread([this] { KeepTime(); });
  crew_.Start();
}

absl::Status Listener::Core::WaitRegistered(milliseconds timeout) {
  const SteadyTime end = std::chrono::steady_clock::now() + timeout;
  MutexLock lock(mu_);
  for (;;) {
    if (!final_status_.ok()) return final_status_;
    if (stopping_) return absl::CancelledError("the listener was stopped");
    if (registered_) return absl::OkStatus();
    if (!changed_.WaitUntil(mu_, end)) return absl::DeadlineExceededError("waited for the bus to register " + name());
  }
}

void Listener::Core::Stop(milliseconds grace) {
  const SteadyTime end = std::chrono::steady_clock::now() + grace;
  const bool orderly = grace > milliseconds(0);
  std::shared_ptr<Session> session;
  {
    MutexLock lock(mu_);
    if (stopping_) return;
    stopping_ = true;
    changed_.NotifyAll();
    if (orderly && session_ && registered_) {
      session = session_;
      session->Drain("the listener stops");
      write_wanted_ = true;
    }
    ReleaseWaiting();
  }
  if (session) crew_.Attend();
  if (orderly) {
    MutexLock lock(mu_);
    while (running_ > 0 && changed_.WaitUntil(mu_, end)) {
    }
    if (running_ > 0 || session_ != session) session = nullptr;
    if (session) {
      session->HalfClose();
      write_wanted_ = true;
    }
  }
  if (orderly && session) {
    crew_.Attend();
    const SteadyTime farewell = std::max(end, std::chrono::steady_clock::now() + kFarewell);
    MutexLock lock(mu_);
    while (session_ == session && changed_.WaitUntil(mu_, farewell)) {
    }
  }
  stop_source_.request_stop();
  {
    MutexLock lock(mu_);
    session = session_;
    timer_ends_ = true;
    time_changed_.NotifyAll();
  }
  if (session) {
    session->Cancel();
    const SteadyTime ended = std::chrono::steady_clock::now() + kCancelled;
    MutexLock lock(mu_);
    while (session_ && changed_.WaitUntil(mu_, ended)) {
    }
  }
  crew_.Stop();
  if (timer_.joinable()) timer_.join();
  bool was_started = false;
  {
    MutexLock lock(mu_);
    stopped_ = true;
    was_started = started_;
    changed_.NotifyAll();
  }
  if (!was_started) return;
  logger_.Info("listener=%s state=stopped", name());
  Tell(ListenerEvent::kStopped, absl::OkStatus());
}

absl::Status Listener::Core::status() const {
  MutexLock lock(mu_);
  return final_status_;
}

absl::Status Listener::Core::Wait() {
  MutexLock lock(mu_);
  while (final_status_.ok() && !stopped_) changed_.Wait(mu_);
  return final_status_;
}

void Listener::Core::Tell(ListenerEvent event, const absl::Status& status) const {
  if (options_.observer) options_.observer(event, status);
}

}  // namespace pvebus::client
