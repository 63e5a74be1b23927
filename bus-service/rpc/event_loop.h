#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "bus-service/core/timer_queue.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/grpcpp.h"
#include "sdk/base/clock.h"
#include "sdk/base/mutex.h"

namespace pvebus::bus {

// What a completion queue gives back: exactly one Proceed per operation that was started with it.
class Tag {
 public:
  virtual ~Tag() = default;
  virtual void Proceed(bool ok) = 0;
};

// One kind of operation of an object that deletes itself (DeleteWhenDone) when none is under way any more.
template <typename Owner>
class Operation final : public Tag {
 public:
  Operation(Owner& owner, void (Owner::*done)(bool)) : owner_(owner), done_(done) {}
  // The tag to give to gRPC.
  void* Start() {
    under_way_ = true;
    return static_cast<Tag*>(this);
  }
  void Proceed(bool ok) override {
    under_way_ = false;
    (owner_.*done_)(ok);
    owner_.DeleteWhenDone();
  }
  // gRPC will never give the tag back.
  void Abandon() { under_way_ = false; }
  bool under_way() const { return under_way_; }

 private:
  Owner& owner_;
  void (Owner::*const done_)(bool);
  bool under_way_ = false;
};

// Something that collects what it has to send and sends it when nothing more is to be done.
class Flushable {
 public:
  virtual ~Flushable() = default;
  virtual void Flush() = 0;

 private:
  friend class EventLoop;
  bool dirty_ = false;
};

// Steady time in which a standstill of the whole process (SIGSTOP, a suspended machine) takes no time: nobody loses a lease or
// an attempt because the bus itself was away. System time is the machine's. The loop's thread; SteadyNow from any.
class LoopClock final : public Clock {
 public:
  SteadyTime SteadyNow() const override {
    return std::chrono::steady_clock::now() - Duration(away_.load(std::memory_order_relaxed));
  }
  SystemTime SystemNow() const override { return std::chrono::system_clock::now(); }
  void WasAway(Duration time) { away_.fetch_add(time.count(), std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> away_{0};
};

// The one thread on which the bus lives, and its completion queue. Per turn it takes everything that has completed, lets timers
// run, and then lets everybody who was marked send: what came together leaves together.
class EventLoop {
 public:
  // `run_timers` lets the core's time pass and ends its turn, `next_timer` says when it is due again (in the clock's time).
  struct Hooks {
    std::function<void()> run_timers;
    std::function<SteadyTime()> next_timer;
  };

  EventLoop(std::unique_ptr<grpc::ServerCompletionQueue> queue, LoopClock& clock) : queue_(std::move(queue)), clock_(clock) {}

  // Works until Stop has been called and the queue is empty. Requires: the server was shut down before Stop.
  void Run(const Hooks& hooks);
  // Any thread.
  void Stop();
  // From here on no operation may be started: the queue does not take it. What is under way comes back.
  bool stopping() const { return stopping_; }
  // Runs `task` on the loop's thread, in the order of the calls, unless the loop has stopped. Any thread.
  void Post(std::function<void()> task) ABSL_LOCKS_EXCLUDED(mutex_);

  // The loop's thread only, all of these.
  void MarkDirty(Flushable& flushable);
  void Forget(Flushable& flushable);
  TimerQueue& timers() { return timers_; }
  grpc::ServerCompletionQueue* queue() { return queue_.get(); }

 private:
  class Wakeup;

  void RunPosted() ABSL_LOCKS_EXCLUDED(mutex_);
  void FlushDirty();
  SteadyTime NextDue(const Hooks& hooks) const;
  void NoticeStandstill(Duration slept);

  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  LoopClock& clock_;
  Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::function<void()>> posted_ ABSL_GUARDED_BY(mutex_);
  TimerQueue timers_;
  std::vector<Flushable*> dirty_;
  std::vector<Flushable*> flushing_;
  bool stopping_ = false;

  // At the last look for a standstill, and what the loop has slept since.
  SteadyTime looked_;
  Duration ran_{0};
  Duration slept_{0};
};

}  // namespace pvebus::bus
