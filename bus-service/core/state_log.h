#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "bus-service/core/event.h"
#include "bus-service/core/policy.h"
#include "bus-service/core/publication.h"

namespace pvebus::bus {

// A durable listener for as long as the bus knows it; a name that is deleted and used again is another listener.
using ListenerId = uint64_t;

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
};

// What a listener wants of the events after a sequence, until its next interest.
struct Interest {
  Sequence after = 0;
  uint32_t event_types = 0;
  std::string filter;
};

// How far a listener is: what is before `next_sequence` is settled or was never wanted, but for `unsettled`.
struct Progress {
  Sequence next_sequence = 1;
  Sequence wanted_again_until = 0;
  std::vector<Sequence> unsettled;  // ascending
};

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
};

// Where listeners and deliveries are kept. Called on the bus's thread only. What is saved becomes durable in the order of the
// calls, with the next event at the latest or a moment later; a crash may lose the newest, and then deliveries are repeated.
class StateLog {
 public:
  virtual ~StateLog() = default;

  virtual void SaveListener(ListenerId listener, const ListenerSnapshot& snapshot) = 0;
  virtual void SaveInterest(ListenerId listener, const Interest& interest) = 0;
  virtual void SaveProgress(ListenerId listener, Progress progress) = 0;
  virtual void SaveDelivery(ListenerId listener, DeliveryRecord delivery) = 0;
  // The listener and all that is known of it.
  virtual void DropListener(ListenerId listener) = 0;
  // `done` is called, during the call or later, when everything saved before is as safe as this log can make it.
  virtual void WhenDurable(std::function<void(absl::Status)> done) = 0;
};

// Keeps nothing.
class ForgetfulStateLog final : public StateLog {
 public:
  void SaveListener(ListenerId, const ListenerSnapshot&) override {}
  void SaveInterest(ListenerId, const Interest&) override {}
  void SaveProgress(ListenerId, Progress) override {}
  void SaveDelivery(ListenerId, DeliveryRecord) override {}
  void DropListener(ListenerId) override {}
  void WhenDurable(std::function<void(absl::Status)> done) override { done(absl::OkStatus()); }
};

// What a log had kept when it was opened.
struct Recovery {
  struct Listener {
    ListenerId id = 0;
    ListenerSnapshot snapshot;
    std::vector<Interest> interests;  // ascending
    Progress progress;
    std::vector<DeliveryRecord> deliveries;  // ascending
  };

  std::vector<EventPtr> events;  // ascending, without a gap
  Sequence last_sequence = 0;    // of the newest event ever stored
  std::vector<Listener> listeners;
};

}  // namespace pvebus::bus
