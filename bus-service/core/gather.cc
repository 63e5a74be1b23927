#include "bus-service/core/gather.h"

#include <algorithm>

#include "bus-service/core/subscription.h"

namespace pvebus::bus {

bool Gather::IsOpen(const ListenerRow& row) const {
  if (row.answered) return false;
  if (row.state == DeliveryState::kInFlight) return true;
  // A required listener is waited for even when it cannot answer now.
  return row.state == DeliveryState::kQueued && (row.required || available_(row));
}

bool Gather::Satisfied(const Publication& publication, WaitPolicy policy) {
  if (!publication.journaled) return false;
  switch (policy) {
    case WaitPolicy::kFirstAttempt:
      return publication.open_rows == 0;
    case WaitPolicy::kSettled:
      return publication.unsettled_rows == 0;
    case WaitPolicy::kNone:
    case WaitPolicy::kDurable:
      break;
  }
  return true;
}

void Gather::Begin(Publication& publication) {
  publication.journaled = true;
  publication.open_rows = 0;
  publication.unsettled_rows = 0;
  const bool watched = IsWatched(publication);
  for (ListenerRow& row : publication.rows) {
    row.open = watched && IsOpen(row);
    publication.open_rows += row.open;
    publication.unsettled_rows += !IsFinal(row.state);
  }
  CompleteSatisfied(publication);
}

bool Gather::IsWatched(const Publication& publication) {
  return std::any_of(publication.waiters.begin(), publication.waiters.end(),
                     [](const Publication::Waiter& waiter) { return waiter.policy > WaitPolicy::kDurable; });
}

void Gather::Wait(Publication& publication, WaitPolicy policy, SteadyTime until, std::function<void(absl::Status)> done,
                  const void* caller) {
  // The open rows of a publication that nobody waits for are not counted.
  if (publication.journaled && policy > WaitPolicy::kDurable && !IsWatched(publication)) {
    for (ListenerRow& row : publication.rows) Recount(publication, row);
  }
  if (finished_ || Satisfied(publication, policy)) return done(absl::OkStatus());
  waiting_.insert(&publication);
  ++waiters_;
  publication.waiters.push_back({policy, std::move(done), {}, caller});
  if (policy <= WaitPolicy::kDurable) return;  // what is not durable yet is not told, however long it takes
  publication.waiters.back().timer =
      timers_.Schedule(until, [this, &publication, number = timers_.next_number()] { WaitIsOver(publication, number); });
}

void Gather::WaitIsOver(Publication& publication, uint64_t timer) {
  const auto is_it = [timer](const Publication::Waiter& waiter) { return waiter.timer.number == timer; };
  if (publication.journaled) return Complete(publication, is_it, absl::OkStatus());
  // Neither "stored" nor "not stored" would be true: it is told as soon as that is known.
  std::find_if(publication.waiters.begin(), publication.waiters.end(), is_it)->policy = WaitPolicy::kDurable;
}

void Gather::SetState(Publication& publication, ListenerRow& row, DeliveryState state) {
  const bool was_final = IsFinal(row.state);
  row.state = state;
  if (!publication.journaled) return;
  if (!was_final && IsFinal(state)) --publication.unsettled_rows;
  if (publication.waiters.empty()) return;
  Recount(publication, row);
  CompleteSatisfied(publication);
}

void Gather::Recount(Publication& publication, ListenerRow& row) {
  const bool open = IsOpen(row);
  publication.open_rows += static_cast<uint32_t>(open) - static_cast<uint32_t>(row.open);
  row.open = open;
}

void Gather::AvailabilityChanged(const Subscription& subscription) {
  std::vector<Publication*> touched;
  for (Publication* publication : waiting_) {
    ListenerRow* row = publication->FindRow(subscription.shared_name());
    if (!row || row->state != DeliveryState::kQueued) continue;
    Recount(*publication, *row);
    touched.push_back(publication);
  }
  for (Publication* publication : touched) CompleteSatisfied(*publication);
}

void Gather::CompleteSatisfied(Publication& publication) {
  if (publication.waiters.empty()) return;
  Complete(
      publication, [&publication](const Publication::Waiter& waiter) { return Satisfied(publication, waiter.policy); },
      absl::OkStatus());
}

void Gather::Complete(Publication& publication, absl::FunctionRef<bool(const Publication::Waiter&)> which,
                      const absl::Status& status) {
  Publication::Waiters& waiters = publication.waiters;
  Publication::Waiters completed;
  Publication::Waiters left;
  for (Publication::Waiter& waiter : waiters) (which(waiter) ? completed : left).push_back(std::move(waiter));
  waiters = std::move(left);
  if (completed.empty()) return;
  if (waiters.empty()) waiting_.erase(&publication);
  waiters_ -= completed.size();
  for (Publication::Waiter& waiter : completed) {
    timers_.Cancel(waiter.timer);
    waiter.done(status);
  }
}

void Gather::Fail(Publication& publication, const absl::Status& status) {
  Complete(
      publication, [](const Publication::Waiter&) { return true; }, status);
}

void Gather::Leave(Publication& publication, const void* caller) {
  Complete(
      publication, [caller](const Publication::Waiter& waiter) { return waiter.caller == caller; },
      absl::CancelledError("the caller has left"));
}

void Gather::FinishAll(const absl::Status& unknown) {
  finished_ = true;
  const std::vector<Publication*> all(waiting_.begin(), waiting_.end());
  for (Publication* publication : all) {
    if (waiting_.contains(publication)) Fail(*publication, publication->journaled ? absl::OkStatus() : unknown);
  }
}

}  // namespace pvebus::bus
