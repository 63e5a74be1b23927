#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "bus-service/core/filter.h"
#include "bus-service/core/policy.h"
#include "bus-service/core/publication.h"

namespace pvebus::bus {

// What listeners and the bus say to each other, as plain values: pvebus.bus.v1.ListenRequest and ListenResponse.

struct StartPosition {
  enum class Kind : uint8_t { kUnset, kSequence, kTime, kEarliest, kLatest, kResume };
  Kind kind = Kind::kUnset;
  Sequence sequence = 0;
  SystemTime time;
};

// Values as in pvebus.bus.v1.ConflictPolicy.
enum class ConflictPolicy : uint8_t { kUnspecified = 0, kRefuse = 1, kTakeoverSameInstance = 2, kTakeoverForce = 3 };

struct Registration {
  std::string listener;
  std::string instance_id;
  std::string node;
  ConflictPolicy conflict_policy = ConflictPolicy::kUnspecified;
  uint32_t event_types = 0;  // bit 1 << EventType; 0: all
  Filter filter;
  DeliveryPolicy delivery_policy;
  StartPosition start_position;
  uint32_t max_in_flight = 64;
  Duration lease{0};
  bool ephemeral = false;
  std::map<std::string, std::string> labels;
};

struct Settlement {
  enum class Outcome : uint8_t { kAcknowledge, kRetry, kRelease, kDeadLetter, kSkip };
  uint64_t delivery_id = 0;
  bool confirm = false;
  Outcome outcome = Outcome::kAcknowledge;
  ListenerError error;                  // unless kAcknowledge
  std::optional<Duration> retry_delay;  // kRetry, kRelease
  std::string hook_results;             // opaque
};

struct Extension {
  uint64_t delivery_id = 0;
  std::optional<Duration> ack_deadline;
  std::string progress;
};

// Values as in pvebus.bus.v1.ConfirmationStatus.
enum class ConfirmationStatus : uint8_t {
  kAccepted = 1,
  kAcceptedLate = 2,
  kAlreadySettled = 3,
  kUnknownDelivery = 4,
  kStaleSession = 5
};

struct Confirmation {
  uint64_t delivery_id = 0;
  ConfirmationStatus status = ConfirmationStatus::kAccepted;
};

struct OutgoingDelivery {
  uint64_t delivery_id = 0;
  EventPtr event;
  uint32_t attempt = 0;
  uint32_t max_attempts = 0;
  SystemTime ack_deadline_time;
  uint64_t backlog = 0;
  std::string replay_id;
  bool dry_run = false;
};

struct RegisteredFrame {
  uint64_t session_number = 0;
  uint64_t session_epoch = 0;
  Duration lease{0};
  Sequence next_sequence = 0;
  bool resumed = false;
  std::string superseded_instance_id;
  DeliveryPolicy policy;
  std::string instance_id;
  uint32_t max_in_flight = 0;
};
struct DeliveriesFrame {
  std::vector<OutgoingDelivery> deliveries;
};
struct ConfirmationsFrame {
  std::vector<Confirmation> confirmations;
};
struct HeartbeatFrame {
  SystemTime send_time;
};
struct CaughtUpFrame {
  Sequence sequence = 0;
};
struct DrainFrame {
  std::string reason;
  Duration grace{0};
};
using Frame = std::variant<RegisteredFrame, DeliveriesFrame, ConfirmationsFrame, HeartbeatFrame, CaughtUpFrame, DrainFrame>;

// Told by the core that a session has something to send or has ended; the owner of the stream then asks for it. Never calls back
// into the core.
class SessionSink {
 public:
  virtual ~SessionSink() = default;
  virtual void Wake() = 0;
};

}  // namespace pvebus::bus
