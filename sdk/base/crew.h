#pragma once

#include <cstdint>
#include <thread>
#include <vector>

#include "sdk/base/mutex.h"

namespace pvebus {

// Leader and followers: threads that share one blocking source of work, so that whoever took the work from the source does it,
// without handing it to another thread. One of them leads (waits at the source); when that brought work it works, and another
// one leads. While work is quick nobody is woken for that: the worker leads again when it is done, and a resting thread looks
// every 2 ms whether it got stuck. Threads are started when they are needed and joined by Stop.
// Start and Stop from one thread, Attend from any.
class Crew {
 public:
  // What the crew does. Outlives the crew.
  class Duty {
   public:
    virtual ~Duty() = default;
    // Waits for what comes next; never by two threads at once. False: there is nothing to lead any more.
    virtual bool Lead() = 0;
    // Whether Work would find something to do. Called with the crew's lock held: must be short and must not call the crew.
    virtual bool Ready() = 0;
    // Works until nothing is ready; by several threads at once.
    virtual void Work() = 0;
    // Whether pieces of work are so short lately that waking a thread would cost more. As Ready.
    virtual bool Quick() = 0;
  };

  // Requires: max_threads >= 1.
  Crew(Duty& duty, int max_threads);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  void Start();
  // Something outside of Lead and Work made work ready.
  void Attend();
  // Waits until all threads have ended. Requires: Lead and Work return.
  void Stop();

 private:
  static constexpr Duration kTick = std::chrono::milliseconds(2);
  // Ticks without any work after which nobody watches any more.
  static constexpr int kQuietTicks = 25;

  void Run();
  void Rest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool Needed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void WakeFollower() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Wake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Watch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Spawn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Duty& duty_;
  const size_t max_threads_;

  Mutex mu_;
  CondVar rested_;
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool leading_ ABSL_GUARDED_BY(mu_) = false;     // somebody does
  bool leaderless_ ABSL_GUARDED_BY(mu_) = false;  // Lead said that it is over
  size_t resting_ ABSL_GUARDED_BY(mu_) = 0;
  size_t wakes_ ABSL_GUARDED_BY(mu_) = 0;       // resting threads that were told to get up and did not yet
  uint64_t turns_ ABSL_GUARDED_BY(mu_) = 0;     // how often a thread began to lead or to work
  bool watch_ ABSL_GUARDED_BY(mu_) = false;     // somebody shall look every tick
  bool watching_ ABSL_GUARDED_BY(mu_) = false;  // somebody does
  int quiet_ticks_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace pvebus
