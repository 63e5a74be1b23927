#include "bus-service/rpc/event_loop.h"

#include <time.h>

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
constexpr milliseconds kLongestTurn{20};

// What this thread has computed.
Duration ThreadTime() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

gpr_timespec RealDeadline(Duration wait) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(std::max<int64_t>(wait.count(), 0), GPR_TIMESPAN));
}

}  // namespace

// Wakes the loop for what was posted.
class EventLoop::Wakeup final : public Tag {
 public:
  explicit Wakeup(EventLoop& loop) : loop_(loop) {}
  // In the past: an alarm that is due now waits for gRPC's timer thread, one that is over is delivered at once (measured: 6 us
  // instead of 670).
  void Start() { alarm_.Set(loop_.queue_.get(), gpr_time_0(GPR_CLOCK_MONOTONIC), static_cast<Tag*>(this)); }
  void Proceed(bool) override {
    loop_.RunPosted();
    delete this;
  }

 private:
  EventLoop& loop_;
  grpc::Alarm alarm_;
};

void EventLoop::Post(std::function<void()> task) {
  MutexLock lock(mutex_);
  if (closed_) return;
  // Two alarms may come in either order, so there is never more than one.
  if (posted_.empty()) (new Wakeup(*this))->Start();
  posted_.push_back(std::move(task));
}

void EventLoop::RunPosted() {
  std::vector<std::function<void()>> tasks;
  {
    MutexLock lock(mutex_);
    tasks.swap(posted_);
  }
  for (const auto& task : tasks) task();
}

SteadyTime EventLoop::NextDue(const Hooks& hooks) const { return std::min(hooks.next_timer(), timers_.NextDue()); }

void EventLoop::Stop() {
  // On the loop's thread, so that nobody there is about to start something.
  Post([this] {
    stopping_ = true;
    MutexLock lock(mutex_);
    closed_ = true;
    queue_->Shutdown();
  });
}

// A standstill is time in which the loop neither computed nor meant to sleep. Wherever in a turn it was; and a bus that has
// much to do is not away.
void EventLoop::NoticeStandstill(Duration slept) {
  slept_ += slept;
  const SteadyTime now = std::chrono::steady_clock::now();
  const Duration elapsed = now - looked_;
  if (elapsed <= kAway) return;
  const Duration ran = ThreadTime();
  const Duration away = elapsed - slept_ - (ran - ran_);
  if (away > kAway) clock_.WasAway(away);
  looked_ = now;
  ran_ = ran;
  slept_ = Duration::zero();
}

void EventLoop::Run(const Hooks& hooks) {
  looked_ = std::chrono::steady_clock::now();
  ran_ = ThreadTime();
  for (;;) {
    const SteadyTime begin = clock_.SteadyNow();
    const Duration wait =
        dirty_.empty() ? std::clamp<Duration>(NextDue(hooks) - begin, Duration::zero(), kLongestWait) : Duration::zero();
    void* tag = nullptr;
    bool ok = false;
    auto status = queue_->AsyncNext(&tag, &ok, RealDeadline(wait));
    const SteadyTime awake = clock_.SteadyNow();
    for (int taken = 0; status == grpc::CompletionQueue::GOT_EVENT; ++taken) {
      static_cast<Tag*>(tag)->Proceed(ok);
      if (taken == kMostCompletionsPerTurn || clock_.SteadyNow() - awake > kLongestTurn) break;
      status = queue_->AsyncNext(&tag, &ok, gpr_time_0(GPR_CLOCK_MONOTONIC));
    }
    if (status == grpc::CompletionQueue::SHUTDOWN) return;
    if (stopping_) continue;
    // Before any timer runs: what the process could not hear while it was away must not count as silence.
    NoticeStandstill(std::min(wait, awake - begin));
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
  for (auto* list : {&dirty_, &flushing_}) std::replace(list->begin(), list->end(), &flushable, static_cast<Flushable*>(nullptr));
}

void EventLoop::FlushDirty() {
  // Who is marked while others are flushed has his turn in the next one: nobody keeps the loop from what has come meanwhile.
  std::swap(dirty_, flushing_);
  for (size_t i = 0; i < flushing_.size(); ++i) {
    Flushable* const flushable = flushing_[i];
    if (!flushable) continue;
    flushable->dirty_ = false;
    flushable->Flush();
  }
  flushing_.clear();
}

}  // namespace pvebus::bus
