#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "bus-service/core/dead_letters.h"
#include "bus-service/core/intake.h"
#include "bus-service/core/parts.h"
#include "bus-service/core/publish.h"
#include "bus-service/core/recall.h"
#include "bus-service/core/registry.h"
#include "bus-service/core/replayer.h"
#include "bus-service/core/retention.h"
#include "bus-service/core/tracer.h"

namespace pvebus::bus {

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
  Bus(const Limits& limits, const Clock& clock, Random& random, EventLog& log, StateLog& states, Logger& logger);
  ~Bus();

  // Goes on where an earlier run ended. Requires: nothing has happened yet.
  void Restore(const Recovery& recovery);

  // `done` is called exactly once, during the call or later.
  void Publish(PublishCommand command, PublishDone done);
  void GetResult(const EventKey& key, WaitPolicy wait_policy, Duration wait, PublishDone done, const void* caller = nullptr);
  // The caller no longer waits, for this event or any other: its `done` is called with CANCELLED, unless it has been called. What
  // is stored stays.
  void Leave(const EventKey& key, const void* caller);
  // An event's publication as it is now; valid during the call of `done`, which is called during this call or later.
  void Find(const EventKey& key, Recall::Done done) { recall_.Find(key, std::move(done)); }
  RowView View(const ListenerRow& row);

  // A stream opened; it belongs to the caller until CloseSession. Requires: `sink` outlives the session.
  Session& OpenSession(SessionSink& sink, std::string peer);
  void CloseSession(Session& session);

  Registry& registry() { return registry_; }
  DeadLetters& dead_letters() { return dead_letters_; }
  Replayer& replayer() { return replayer_; }
  Tracer& tracer() { return tracer_; }
  const Ledger& ledger() const { return ledger_; }
  // The newest event that is durable.
  Sequence journaled_sequence() const { return ledger_.journaled_sequence(); }
  EventLog& log() { return log_; }
  StateLog& states() { return parts_.states; }
  // DATA_LOSS JOURNAL_DAMAGED when nothing is stored any more.
  absl::Status CheckWritable() const { return registry_.CheckWritable(); }
  const Counters& counters() const { return counters_; }
  const Clock& clock() const { return clock_; }
  const Limits& limits() const { return limits_; }

  // Time passes only here.
  void RunTimers() { timers_.RunDue(clock_.SteadyNow()); }
  // Saves what has changed (at most every 5 ms), and lets go of what is not needed in memory. To be called after everything that
  // came at once has been handled.
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
  // A call that waits for the journal to find something.
  struct Asking {
    const void* caller;
    PublishDone done;  // null: answered
  };

  void Accept(PublishCommand command, const Intake::Known& known, PublishDone done);
  void AnswerDuplicate(const PublishCommand& command, EventPtr earlier, PublishDone done);
  static absl::Status CheckDuplicate(const PublishCommand& command, const Intake::Known& known, EventPtr& earlier);
  // There may be so many who wait for what is not settled yet.
  absl::Status CheckWaiting(const Publication& publication, WaitPolicy policy) const;
  absl::Status SetAncestors(Event& event, const EventPtr& parent) const;
  absl::Status CheckRequired(const PublishCommand& command) const;
  void Appended(Sequence sequence, const absl::Status& status);
  void Match(Publication& publication) const;
  void FanOut(const Publication& publication);
  void ScheduleExpiry(Publication& publication);
  void Expire(Sequence sequence);
  void Wait(Publication& publication, WaitPolicy policy, SteadyTime until, bool duplicate, PublishDone done, const void* caller);
  std::shared_ptr<Asking> Ask(const void* caller, PublishDone done);
  void Retain();
  void SaveProgress();

  const Limits& limits_;
  const Clock& clock_;
  Random& random_;
  EventLog& log_;
  Logger& logger_;
  TimerQueue timers_;
  Ledger ledger_;
  Gather gather_;
  std::vector<std::weak_ptr<Subscription>> touched_;
  Counters counters_;
  absl::flat_hash_map<Sequence, bool> recalling_;
  Parts parts_;
  Registry registry_;
  Recall recall_;
  Intake intake_;
  Retention retention_;
  DeadLetters dead_letters_;
  Replayer replayer_;
  Tracer tracer_;
  absl::flat_hash_map<Session*, std::unique_ptr<Session>> sessions_;
  std::vector<std::shared_ptr<Asking>> asking_;
  std::function<void()> journal_observer_;
  uint64_t last_session_ = 0;
  SystemTime last_publish_time_;
  SteadyTime next_append_line_{};
  SteadyTime next_save_{};
  TimerQueue::Id save_timer_;
  ListenerError view_error_;
};

}  // namespace pvebus::bus
