#include "bus-service/rpc/event_loop.h"

#include <algorithm>

#include "grpcpp/alarm.h"

namespace pvebus::bus {
namespace {

using std::chrono::milliseconds;

// So much must be missing for the process to have been away rather than merely busy.
constexpr milliseconds kAway{500};
// The loop wakes at least so often: only then does it notice that it was away.
constexpr milliseconds kLongestWait{250};
constexpr int kMostCompletionsPerTurn = 256;

gpr_timespec RealDeadline(Duration wait) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(std::max<int64_t>(wait.count(), 0), GPR_TIMESPAN));
}

}  // namespace

// Carries one task through the queue.
class EventLoop::PostedTask final : public Tag {
 public:
  explicit PostedTask(std::function<void()> task) : task_(std::move(task)) {}
  void Start(grpc::CompletionQueue* queue) { alarm_.Set(queue, gpr_now(GPR_CLOCK_MONOTONIC), this); }
  void Proceed(bool) override {
    task_();
    delete this;
  }

 private:
  std::function<void()> task_;
  grpc::Alarm alarm_;
};

void EventLoop::Post(std::function<void()> task) { (new PostedTask(std::move(task)))->Start(queue_.get()); }

SteadyTime EventLoop::NextDue(const Hooks& hooks) const { return std::min(hooks.next_timer(), timers_.NextDue()); }

void EventLoop::Run(const Hooks& hooks) {
  for (;;) {
    const SteadyTime begin = clock_.SteadyNow();
    const Duration wait = std::min<Duration>(NextDue(hooks) - begin, kLongestWait);
    void* tag = nullptr;
    bool ok = false;
    auto status = queue_->AsyncNext(&tag, &ok, RealDeadline(wait));
    for (int taken = 0; status == grpc::CompletionQueue::GOT_EVENT; ++taken) {
      static_cast<Tag*>(tag)->Proceed(ok);
      if (taken == kMostCompletionsPerTurn) break;
      status = queue_->AsyncNext(&tag, &ok, gpr_time_0(GPR_CLOCK_MONOTONIC));
    }
    if (status == grpc::CompletionQueue::SHUTDOWN) return;
    // Before any timer runs: what the process could not hear while it was away must not count as silence.
    const Duration away = clock_.SteadyNow() - begin - std::max<Duration>(wait, Duration::zero());
    if (away > kAway) clock_.WasAway(away);
    timers_.RunDue(clock_.SteadyNow());
    hooks.run_timers();
    FlushDirty();
  }
}

void EventLoop::MarkDirty(Flushable& flushable) {
  if (flushable.dirty_) return;
  flushable.dirty_ = true;
  dirty_.push_back(&flushable);
}

void EventLoop::Forget(Flushable& flushable) {
  if (!flushable.dirty_) return;
  flushable.dirty_ = false;
  std::replace(dirty_.begin(), dirty_.end(), &flushable, static_cast<Flushable*>(nullptr));
}

void EventLoop::FlushDirty() {
  // Flushing one may mark another.
  for (size_t i = 0; i < dirty_.size(); ++i) {
    Flushable* const flushable = dirty_[i];
    if (!flushable) continue;
    flushable->dirty_ = false;
    flushable->Flush();
  }
  dirty_.clear();
}

}  // namespace pvebus::bus
