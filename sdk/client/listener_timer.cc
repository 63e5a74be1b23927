// The timer's part of Listener::Core. It never writes and so never blocks: what it queues is flushed by the crew.
#include <algorithm>
#include <utility>

#include "sdk/client/listener_core.h"

namespace pvebus::client {
namespace {

constexpr Duration kLongestSleep = std::chrono::hours(1);
constexpr int kHeartbeatsPerLease = 3;

}  // namespace

void Listener::Core::KeepTime() {
  for (;;) {
    Due due;
    {
      MutexLock lock(mu_);
      due = Tick(clock_.SteadyNow());
      timer_wakes_at_ = due.next;
      if (!due.queued && !due.silent && !timer_ends_) time_changed_.WaitUntil(mu_, due.next);
      if (timer_ends_) return;
    }
    if (due.queued) crew_.Attend();
    if (due.silent) due.silent->Cancel();
  }
}

Listener::Core::Due Listener::Core::Tick(SteadyTime now) {
  Due due{.next = now + kLongestSleep, .silent = nullptr};
  if (!session_) return due;
  if (now - last_heard_ >= patience_) {
    silent_ = true;
    due.silent = session_;
    last_heard_ = now;  // once is enough
  }
  due.next = std::min(due.next, last_heard_ + patience_);
  if (!registered_) return due;
  const Duration interval = lease_ / kHeartbeatsPerLease;
  if (now - session_->last_sent() >= interval) {
    session_->Heartbeat();
    due.queued = true;
  }
  for (const auto& extension : deadlines_.Due(now)) {
    session_->Extend(extension.delivery_id, extension.ack_deadline);
    due.queued = true;
  }
  if (due.queued) write_wanted_ = true;
  due.next = std::min({due.next, session_->last_sent() + interval, deadlines_.next_due()});
  return due;
}

}  // namespace pvebus::client
