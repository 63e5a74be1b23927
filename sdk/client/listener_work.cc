// The workers' part of Listener::Core: handling and answering.
#include <exception>
#include <utility>

#include "sdk/client/listener_core.h"

namespace pvebus::client {
namespace {

// Answers of one frame travel together unless one of them would wait longer than this.
constexpr Duration kFlushAfter = std::chrono::milliseconds(1);
// Handlers that take longer on average get a thread woken beside them at once.
constexpr Duration kQuick = std::chrono::microseconds(200);
// One that hangs shall not be held against the next hundred.
constexpr Duration kLongest = std::chrono::milliseconds(10);

bus::v1::Settlement Release(uint64_t delivery_id) {
  bus::v1::Settlement settlement;
  settlement.set_delivery_id(delivery_id);
  auto& rejection = *settlement.mutable_rejection();
  rejection.set_mode(bus::v1::REJECT_MODE_RELEASE);
  rejection.mutable_error()->set_code(static_cast<int>(absl::StatusCode::kUnavailable));
  rejection.mutable_error()->set_reason("DRAINING");
  rejection.mutable_error()->set_message("not begun before the stream was drained");
  rejection.mutable_error()->set_retryable(true);
  return settlement;
}

}  // namespace

bool Listener::Core::Ready() {
  MutexLock lock(mu_);
  return write_wanted_ || (queue_.HasReady() && running_ < options_.max_concurrency);
}

bool Listener::Core::Quick() { return average_work_ns_.load(std::memory_order_relaxed) < kQuick.count(); }

void Listener::Core::Work() {
  std::shared_ptr<Session> session;
  Task task;
  {
    MutexLock lock(mu_);
    write_wanted_ = false;
    session = session_;
    task = Take();
  }
  SteadyTime begin = clock_.SteadyNow();
  SteadyTime oldest_answer = begin;
  while (task.work) {
    Answer answer = Handle(task);
    const SteadyTime end = clock_.SteadyNow();
    const int64_t average = average_work_ns_.load(std::memory_order_relaxed);
    average_work_ns_.store(average + (std::min(end - begin, SteadyTime::duration(kLongest)).count() - average) / 8,
                           std::memory_order_relaxed);
    {
      MutexLock lock(mu_);
      Settle(task, std::move(answer));
      session = session_;
      task = Take();
    }
    // When this thread is stuck in the next handler, the next leader flushes; but there is one already while somebody leads.
    if (session && (!task.work || leading_ || !Quick() || end - oldest_answer > kFlushAfter)) {
      session->Flush();
      begin = oldest_answer = clock_.SteadyNow();
    } else {
      begin = end;
    }
  }
  if (session) session->Flush();
}

Listener::Core::Task Listener::Core::Take() {
  if (running_ >= options_.max_concurrency) return {};
  Task task{.work = queue_.Take(), .known = std::nullopt};
  if (!task.work) return task;
  ++running_;
  const bus::v1::Delivery& delivery = task.work->delivery;
  if (delivery.replay_id().empty() && !delivery.dry_run()) task.known = recent_.Find(delivery.event().event_id());
  return task;
}

Answer Listener::Core::Handle(const Task& task) {
  if (task.known) return Answer::Ack(*task.known);
  const EventContext context(task.work->delivery, publisher_, stop_source_.get_token());
  try {
    return handler_(context);
  } catch (const std::exception& error) {
    return Answer::Retry(absl::StatusCode::kInternal, "HANDLER_THREW", error.what());
  }
}

void Listener::Core::Settle(const Task& task, Answer answer) {
  const bus::v1::Delivery& delivery = task.work->delivery;
  --running_;
  queue_.Finish(*task.work);
  if (answer.is_acknowledgement() && !task.known && !delivery.dry_run()) {
    recent_.Remember(delivery.event().event_id(), answer.settlement().acknowledgement());
  }
  if (session_ && session_->number() == task.work->session) {
    deadlines_.Remove(delivery.delivery_id());
    if (answer.settlement().outcome_case() != bus::v1::Settlement::OUTCOME_NOT_SET) {
      bus::v1::Settlement settlement = std::move(answer).TakeSettlement();
      settlement.set_delivery_id(delivery.delivery_id());
      session_->Answer(std::move(settlement));
    }
  }
  if (!takes_work()) changed_.NotifyAll();
}

void Listener::Core::ReleaseWaiting() {
  for (const auto& work : queue_.DropWaiting()) {
    if (!session_ || session_->number() != work->session) continue;
    deadlines_.Remove(work->delivery.delivery_id());
    session_->Answer(Release(work->delivery.delivery_id()));
    write_wanted_ = true;
  }
}

}  // namespace pvebus::client
