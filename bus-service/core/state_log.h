#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "bus-service/core/event.h"
#include "bus-service/core/policy.h"
#include "bus-service/core/publication.h"

namespace pvebus::bus {

// A durable listener for as long as the bus knows it; a name that is deleted and used again is another listener.
using ListenerId = uint64_t;

// Something that befell a listener; pvebus.bus.v1.ListenerIncident.
struct Incident {
  SystemTime time;
  std::string kind;
  std::string message;
  Sequence first = 0;
  Sequence last = 0;
  uint64_t lost = 0;           // deliveries
  bool lost_at_least = false;  // and more, which are being counted or cannot be
};

struct LastError {
  ListenerError error;
  SystemTime time;
};
inline constexpr size_t kMaxIncidents = 20;  // of a listener, the newest are kept

// What a listener is, beside its deliveries.
struct ListenerSnapshot {
  std::string name;
  std::string instance_id;  // of the holder, or the last one
  std::string node;
  std::string peer;
  uint64_t epoch = 0;
  uint64_t version = 1;
  bool paused = false;
  std::string pause_reason;
  SystemTime create_time;
  SystemTime connect_time;
  Duration lease{0};
  DeliveryPolicy policy;
  uint32_t max_in_flight = 64;
  std::map<std::string, std::string> labels;
  Sequence born_after = 0;  // events up to here were journaled before the listener existed
  std::vector<Incident> incidents;
  std::optional<LastError> last_error;
  uint64_t lost_deliveries = 0;
  std::optional<Sequence> deleted_after;  // it was deleted when this was the newest event; kept for the results of these events
};

// What a listener wants of the events after a sequence, until its next interest.
struct Interest {
  Sequence after = 0;
  uint32_t event_types = 0;
  std::string filter;
};

inline bool HasGapAt(const std::vector<Gap>& gaps, Sequence sequence) {
  return std::any_of(gaps.begin(), gaps.end(),
                     [sequence](const Gap& gap) { return gap.first <= sequence && sequence <= gap.last; });
}

// How far a listener is: what is before `next_sequence` is settled or was never wanted, but for `unsettled` and `gaps`.
struct Progress {
  Sequence next_sequence = 1;
  Sequence wanted_again_until = 0;
  std::vector<Sequence> unsettled;  // ascending
  std::vector<Gap> gaps;            // passed unsettled, ascending: an operator moved the listener
  // Wanted events in [next_sequence, counted_until]; those after it have not been counted.
  uint64_t ahead = 0;
  Sequence counted_until = 0;
};

// One attempt that ended without success; pvebus.bus.v1.DeliveryAttempt.
struct AttemptRecord {
  uint32_t attempt = 0;
  SystemTime end_time;
  std::string instance_id;
  ListenerError error;  // message at most kAttemptMessageBytes, no metadata
  std::string replay_id;
};
inline constexpr size_t kMaxAttemptRecords = 64;  // the newest are kept
inline constexpr size_t kAttemptMessageBytes = 1024;

inline void AddNewest(std::vector<AttemptRecord>& attempts, AttemptRecord attempt) {
  if (attempts.size() >= kMaxAttemptRecords) attempts.erase(attempts.begin());
  attempts.push_back(std::move(attempt));
}

// How one event stands at one listener, where that is more than Progress says: an outcome that is no plain acknowledgement, or
// attempts that failed.
struct DeliveryRecord {
  Sequence sequence = 0;
  DeliveryState state = DeliveryState::kQueued;  // kQueued: not settled, and no attempt has failed
  bool answered = false;
  uint32_t attempt = 0;
  uint32_t lost_sessions = 0;
  Duration latency{0};
  SystemTime next_attempt_time;
  std::string instance_id;
  std::optional<ListenerError> error;
  std::string hook_results;
  std::vector<AttemptRecord> attempts;  // oldest first
};

// What is kept of a delivery, as the row of a result.
void TakeRecord(const DeliveryRecord& record, ListenerRow& row);

// An event that was given up for a listener, with a copy of the event that outlives the journal's.
struct DeadLetter {
  uint64_t id = 0;
  ListenerId listener = 0;
  std::string listener_name;
  SystemTime time;
  EventPtr event;
  DeliveryRecord delivery;
  std::string redrive_id;  // of the redrive under way
};

// An event that a listener is to get again, beside its progress.
struct Replay {
  uint64_t number = 0;  // ascending, of all replays ever
  ListenerId listener = 0;
  std::string replay_id;
  Sequence sequence = 0;
  bool dry_run = false;
  uint64_t dead_letter_id = 0;  // the event is this one's; 0: the journal's
};

// Where listeners and deliveries are kept. Called on the bus's thread only. What is saved becomes durable in the order of the
// calls, with the next event at the latest or a moment later; a crash may lose the newest, and then deliveries are repeated.
// Readers see everything that was saved before.
class StateLog {
 public:
  using Deliveries = std::vector<std::pair<ListenerId, DeliveryRecord>>;
  using DeliveriesDone = std::function<void(absl::StatusOr<Deliveries>)>;
  using DeadLettersDone = std::function<void(absl::StatusOr<std::vector<DeadLetter>>)>;
  using Replays = std::vector<std::pair<Replay, EventPtr>>;
  using ReplaysDone = std::function<void(absl::StatusOr<Replays>)>;

  virtual ~StateLog() = default;

  virtual void SaveListener(ListenerId listener, const ListenerSnapshot& snapshot) = 0;
  virtual void SaveInterest(ListenerId listener, const Interest& interest) = 0;
  virtual void SaveProgress(ListenerId listener, Progress progress) = 0;
  virtual void SaveDelivery(ListenerId listener, DeliveryRecord delivery) = 0;
  // As SaveDelivery, but the attempts that are kept stay: those of `delivery` are among them (AddAttempt).
  virtual void SaveRedriven(ListenerId listener, DeliveryRecord delivery) = 0;
  // An attempt of a replay: one more, whatever is kept of the delivery.
  virtual void AddAttempt(ListenerId listener, Sequence sequence, AttemptRecord attempt) = 0;
  // A new one, or another state of one that is there.
  virtual void SaveDeadLetter(DeadLetter letter) = 0;
  virtual void RemoveDeadLetter(uint64_t id) = 0;
  virtual void SaveReplays(std::vector<Replay> replays) = 0;
  virtual void RemoveReplay(ListenerId listener, uint64_t number) = 0;
  // What waits for the listener: dead letters and replays. They are gone at once for readers, and from the files some at a time;
  // a log that was closed before goes on when it is opened. Requires: the listener is deleted.
  virtual void DropWaiting(ListenerId listener) = 0;
  // That, and all that is known of the listener itself; what is kept of its deliveries goes with their events.
  virtual void DropListener(ListenerId listener) = 0;
  // `done` is called, during the call or later, when everything saved before is as safe as this log can make it.
  virtual void WhenDurable(std::function<void(absl::Status)> done) = 0;

  // What is kept of one event's deliveries, by listener.
  virtual void ReadDeliveries(Sequence sequence, DeliveriesDone done) = 0;
  // Those after an id, ascending, at most so many and, after the first, so many bytes.
  virtual void ReadDeadLetters(uint64_t after_id, size_t max_letters, size_t max_bytes, DeadLettersDone done) = 0;
  // A listener's replays after a number, ascending, with their events (null: the journal has forgotten it).
  virtual void ReadReplays(ListenerId listener, uint64_t after_number, size_t max_replays, size_t max_bytes,
                           ReplaysDone done) = 0;
};

// What a log had kept when it was opened: state, never the whole journal.
struct Recovery {
  struct Listener {
    ListenerId id = 0;
    ListenerSnapshot snapshot;
    std::vector<Interest> interests;  // ascending
    Progress progress;
    std::vector<DeliveryRecord> deliveries;  // of the unsettled events, ascending
    std::vector<EventPtr> unsettled;         // those of progress.unsettled that the journal still has, ascending
    uint64_t dead_letter_count = 0;
    uint64_t replay_count = 0;
    uint64_t redrive_count = 0;  // of these, replays of dead letters
    std::string redrive_id;      // theirs
  };

  Sequence last_sequence = 0;  // of the newest event ever stored
  SystemTime last_publish_time;
  std::vector<EventPtr> newest;  // the last events, ascending to last_sequence: some thousands at most
  std::vector<Listener> listeners;
  std::vector<Listener> former_listeners;  // deleted: interests and progress, nothing else; in the order of their deletion
  ListenerId last_listener_id = 0;
  uint64_t last_dead_letter_id = 0;
  uint64_t last_replay_number = 0;
};

}  // namespace pvebus::bus
