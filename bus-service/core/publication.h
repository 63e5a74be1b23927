#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "bus-service/core/event.h"
#include "bus-service/core/timer_queue.h"

namespace pvebus::bus {

// Values as in pvebus.bus.v1.DeliveryState.
enum class DeliveryState : uint8_t {
  kQueued = 1,
  kInFlight = 2,
  kSucceeded = 3,
  kRetryScheduled = 4,
  kDeadLettered = 5,
  kSkipped = 6,
  kOffline = 7,
  kPaused = 8,
  kExpired = 9,
  kDeferred = 10,
};

constexpr bool IsFinal(DeliveryState state) {
  return state == DeliveryState::kSucceeded || state == DeliveryState::kDeadLettered || state == DeliveryState::kSkipped ||
         state == DeliveryState::kExpired;
}

// Values as in pvebus.bus.v1.WaitPolicy.
enum class WaitPolicy : uint8_t { kNone = 0, kDurable = 1, kFirstAttempt = 2, kSettled = 3 };

// Why a delivery is not a success; pvebus.bus.v1.ListenerError.
struct ListenerError {
  int code = 2;  // google.rpc.Code
  std::string reason;
  std::string message;
  std::map<std::string, std::string> metadata;
  bool retryable = false;
};

class Subscription;

// How one event stands at one listener. A row that waits is always kQueued here; whether that means QUEUED, OFFLINE or
// PAUSED depends on the listener at the moment of looking (ResultView).
struct ListenerRow {
  std::shared_ptr<const std::string> listener;
  std::weak_ptr<Subscription> subscription;
  DeliveryState state = DeliveryState::kQueued;
  bool required = false;
  bool open = false;  // the publisher's first-attempt wait still needs an answer (Gather)
  bool answered = false;
  uint32_t attempt = 0;
  Duration latency{0};           // valid when answered
  SystemTime next_attempt_time;  // valid in kRetryScheduled
  std::shared_ptr<const std::string> instance_id;
  std::unique_ptr<ListenerError> error;
  std::string hook_results;  // opaque, as the rpc layer encoded them
};

// An event and everything that is known about its deliveries. Lives in the Ledger.
struct Publication {
  static constexpr size_t kFewRows = 8;

  struct Waiter {
    WaitPolicy policy;
    std::function<void(absl::Status)> done;
    TimerQueue::Id timer;
    const void* caller = nullptr;  // names who waits; null: nobody who could leave
  };
  using Waiters = absl::InlinedVector<Waiter, 1>;

  EventPtr event;
  bool journaled = false;
  bool recalled = false;  // made again from the journal
  SteadyTime journal_time;
  std::vector<ListenerRow> rows;  // sorted by name
  size_t answer_bytes = 0;        // of errors and hook results (Ledger)
  uint32_t open_rows = 0;
  uint32_t unsettled_rows = 0;
  Waiters waiters;
  TimerQueue::Id expire_timer;

  // What it costs to keep, in bytes; an estimate.
  size_t Bytes() const { return event->Bytes() + 256 + rows.size() * (sizeof(ListenerRow) + 64) + answer_bytes; }
  // The row of exactly this listener, not of an earlier one of its name; null when there is none.
  ListenerRow* FindRow(const std::shared_ptr<const std::string>& listener) {
    if (rows.size() <= kFewRows) {  // without a look at the names
      const auto found =
          std::find_if(rows.begin(), rows.end(), [&](const ListenerRow& each) { return each.listener == listener; });
      return found == rows.end() ? nullptr : &*found;
    }
    const auto row = std::lower_bound(rows.begin(), rows.end(), *listener,
                                      [](const ListenerRow& before, const std::string& name) { return *before.listener < name; });
    return row != rows.end() && row->listener == listener ? &*row : nullptr;
  }
};

}  // namespace pvebus::bus
