#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "bus-service/core/parts.h"
#include "bus-service/core/registry.h"

namespace pvebus::bus {

struct PublishCommand {
  std::shared_ptr<Event> event;  // event_id empty: the bus makes one
  std::string request_id;
  WaitPolicy wait_policy = WaitPolicy::kFirstAttempt;
  Duration wait{0};  // how long to wait at most, limits applied
  bool validate_only = false;
  std::vector<std::string> required_listeners;
  std::optional<Sequence> expected_last_sequence;
  const void* caller = nullptr;  // who may Leave
};

struct PublishReply {
  const Publication* publication = nullptr;  // valid during the call of PublishDone
  bool duplicate = false;
};
using PublishDone = std::function<void(absl::StatusOr<PublishReply>)>;

struct EventKey {
  enum class Kind : uint8_t { kEventId, kRequestId };
  Kind kind = Kind::kEventId;
  std::string id;
};

// How a row looks from outside, now.
struct RowView {
  DeliveryState state;
  const ListenerError* error;  // null when there is nothing to say; valid until the next call into the bus
};

// The bus without its wires: takes publishes and what listeners say, decides, and hands out what to send. Pure and deterministic:
// time, randomness and the journal are injected, and nothing happens between calls. One thread.
class Bus {
 public:
  // Requires: the arguments outlive the bus.
  // Without `states` listeners are forgotten when the bus ends.
  Bus(const Limits& limits, const Clock& clock, Random& random, EventLog& log, Logger& logger, StateLog* states = nullptr);
  ~Bus();

  // Goes on where an earlier run ended. Requires: nothing has happened yet.
  void Restore(const Recovery& recovery);

  // `done` is called exactly once, during the call or later.
  void Publish(PublishCommand command, PublishDone done);
  void GetResult(const EventKey& key, WaitPolicy wait_policy, Duration wait, PublishDone done, const void* caller = nullptr);
  // The caller no longer waits for this event: its `done` is called with CANCELLED, unless it has been called. The event stays.
  void Leave(const EventKey& key, const void* caller);
  RowView View(const ListenerRow& row);

  // A stream opened; it belongs to the caller until CloseSession. Requires: `sink` outlives the session.
  Session& OpenSession(SessionSink& sink, std::string peer);
  void CloseSession(Session& session);

  Registry& registry() { return registry_; }
  const Ledger& ledger() const { return ledger_; }
  // The newest event that is durable.
  Sequence journaled_sequence() const { return ledger_.journaled_sequence(); }
  EventLog& log() { return log_; }
  const Clock& clock() const { return clock_; }
  const Limits& limits() const { return limits_; }

  // Time passes only here.
  void RunTimers() { timers_.RunDue(clock_.SteadyNow()); }
  // Saves what has changed. To be called after everything that came at once has been handled.
  void EndTurn();
  SteadyTime NextTimer() const { return timers_.NextDue(); }
  // Called after an event is journaled.
  void SetJournalObserver(std::function<void()> observer) { journal_observer_ = std::move(observer); }

  // Refuses new work, lets listeners answer for what is in flight.
  void StartDrain();
  bool draining() const { return registry_.draining(); }
  // No answer is outstanding, and no event is being stored.
  bool Drained() const;
  // Ends every session and every wait.
  void EndAll();

 private:
  absl::Status CheckDuplicate(const PublishCommand& command, Publication*& publication) const;
  // There may be so many who wait for what is not settled yet.
  absl::Status CheckWaiting(const Publication& publication, WaitPolicy policy) const;
  absl::Status SetHops(Event& event) const;
  absl::Status CheckRequired(const PublishCommand& command) const;
  absl::Status MakeRoom(size_t bytes);
  const ListenerRecord* Slowest() const;
  void Appended(Sequence sequence, const absl::Status& status);
  void Match(Publication& publication) const;
  void FanOut(Publication& publication);
  void ScheduleExpiry(Publication& publication);
  void Expire(Sequence sequence);
  void Wait(Publication& publication, WaitPolicy policy, Duration wait, bool duplicate, PublishDone done, const void* caller);
  Publication* Find(const EventKey& key) const;

  const Limits& limits_;
  const Clock& clock_;
  Random& random_;
  EventLog& log_;
  Logger& logger_;
  TimerQueue timers_;
  Ledger ledger_;
  Gather gather_;
  ForgetfulStateLog forgetful_;
  std::vector<std::weak_ptr<Subscription>> touched_;
  Parts parts_;
  Registry registry_;
  absl::flat_hash_map<Session*, std::unique_ptr<Session>> sessions_;
  std::function<void()> journal_observer_;
  uint64_t last_session_ = 0;
  SystemTime last_publish_time_;
  ListenerError view_error_;
};

}  // namespace pvebus::bus
