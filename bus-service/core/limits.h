#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace pvebus::bus {

// Everything an operator may configure, with its default.
struct Limits {
  size_t max_event_bytes = 1 << 20;  // a larger event is refused at Publish
  // What the newest events and their results may cost in memory. Older ones are read from the journal when somebody asks; as
  // those that publishers wait for stay, an answer over twice as much is kept without its hook results, its error cut short.
  size_t max_ledger_bytes = 24 << 20;
  // What may be forgotten: events beyond these. 0: no limit.
  uint64_t retention_count = 0;
  uint64_t retention_bytes = 0;
  std::chrono::seconds retention_age{0};
  // A durable listener that is more events behind what may be forgotten loses the oldest. 0: it never does.
  uint64_t retention_backlog = 0;
  size_t max_waiting_publishes = 10'000;  // publishes that wait for listeners at once
  uint32_t max_hops = 8;                  // length of a chain of nested events
  uint32_t max_lost_sessions = 3;         // an event in flight in so many lost sessions is dead-lettered
  size_t max_listeners = 10'000;
  std::chrono::milliseconds drain_grace{10'000};  // how long answers are accepted after SIGTERM
};

// What is fixed.
inline constexpr std::chrono::seconds kDefaultWait{10};
inline constexpr std::chrono::seconds kMaximumWait{30};
inline constexpr std::chrono::milliseconds kWaitMargin{200};  // the wait ends so long before the caller's deadline
inline constexpr std::chrono::seconds kDefaultLease{15};
inline constexpr std::chrono::milliseconds kMinimumLease{200};
inline constexpr std::chrono::hours kMaximumLease{1};
inline constexpr std::chrono::seconds kRegistrationTimeout{10};  // a stream that says nothing for so long is ended
inline constexpr uint32_t kDefaultMaxInFlight = 64;
inline constexpr uint32_t kMaximumMaxInFlight = 10'000;
inline constexpr size_t kFrameBytes = 256 * 1024;        // a frame of deliveries ends after so many bytes
inline constexpr size_t kWindowBytes = 8 * 1024 * 1024;  // a listener's loaded events end after so many bytes
inline constexpr size_t kMaxUnsentConfirmations = 4096;  // a listener with more is not read from

}  // namespace pvebus::bus
