#include "sdk/base/crew.h"

#include <algorithm>
#include <utility>

namespace pvebus {

Crew::Crew(Duty& duty, int max_threads) : duty_(duty), max_threads_(static_cast<size_t>(std::max(max_threads, 1))) {}

Crew::~Crew() { Stop(); }

void Crew::Start() {
  MutexLock lock(mu_);
  Spawn();
}

void Crew::Attend() {
  MutexLock lock(mu_);
  if (Needed()) Wake();
}

void Crew::Stop() {
  std::vector<std::thread> threads;
  {
    MutexLock lock(mu_);
    stopping_ = true;
    rested_.NotifyAll();
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

void Crew::Run() {
  mu_.Lock();
  while (!stopping_) {
    if (duty_.Ready()) {
      ++turns_;
      WakeFollower();
      mu_.Unlock();
      duty_.Work();
      mu_.Lock();
    } else if (!leading_ && !leaderless_) {
      ++turns_;
      leading_ = true;
      mu_.Unlock();
      const bool more = duty_.Lead();
      mu_.Lock();
      leading_ = false;
      leaderless_ = !more;
    } else {
      Rest();
    }
  }
  mu_.Unlock();
}

bool Crew::Needed() { return !stopping_ && ((!leading_ && !leaderless_) || duty_.Ready()); }

// The calling thread is about to work: somebody should lead, and share the work if there is more. Each one that gets up
// wakes the next one.
void Crew::WakeFollower() {
  if (!Needed()) return;
  if (duty_.Quick()) {
    Watch();
  } else {
    Wake();
  }
}

void Crew::Wake() {
  if (resting_ > wakes_) {
    ++wakes_;
    rested_.NotifyOne();
  } else if (threads_.size() < max_threads_) {
    Spawn();
  }
}

void Crew::Watch() {
  quiet_ticks_ = 0;
  watch_ = true;
  if (watching_) return;
  if (resting_ > wakes_) {
    rested_.NotifyOne();
  } else if (threads_.size() < max_threads_) {
    Spawn();
  }
}

void Crew::Spawn() {
  if (!stopping_) threads_.emplace_back([this] { Run(); });
}

// Returns when there is a reason to look for something to do.
void Crew::Rest() {
  ++resting_;
  while (!stopping_ && wakes_ == 0) {
    if (!watch_ || watching_) {
      rested_.Wait(mu_);
      continue;
    }
    watching_ = true;
    const uint64_t turns_before = turns_;
    const SteadyTime tick = std::chrono::steady_clock::now() + kTick;
    while (!stopping_ && wakes_ == 0 && rested_.WaitUntil(mu_, tick)) {
    }
    watching_ = false;
    if (turns_ != turns_before) {
      quiet_ticks_ = 0;
    } else if (Needed()) {
      break;  // a whole tick without anybody who took it up
    } else if (++quiet_ticks_ > kQuietTicks) {
      watch_ = false;
    }
  }
  if (wakes_ > 0) --wakes_;
  --resting_;
  // The watch goes on without this thread.
  if (watch_ && !watching_ && resting_ > 0) rested_.NotifyOne();
}

}  // namespace pvebus
