#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sdk/base/clock.h"

namespace pvebus::bus {

using Sequence = uint64_t;  // place in the journal, from 1; 0 is "none"

// Events that are missing somewhere, the first and the last included.
struct Gap {
  Sequence first = 0;
  Sequence last = 0;
  bool operator==(const Gap&) const = default;
};

// Values as in pvebus.event.v1.EventType.
enum class EventType : uint8_t {
  kUnspecified = 0,
  kNetworkApplied = 1,
  kContainerStarted = 2,
  kStorageVlanCreated = 3,
  kMigrationPhaseChanged = 4,
  kCustom = 5,
};

// "container_started", as filters and JSON spell it.
const char* EventTypeName(EventType type);

// One event as the core sees it: what it decides by, and the rest as bytes it does not look into. Immutable once the
// journal has given it its sequence, and then shared by everybody.
struct Event {
  std::string event_id;
  std::string request_id;  // empty: none
  Sequence sequence = 0;
  SystemTime publish_time;
  EventType type = EventType::kUnspecified;
  std::string source;
  std::string subject;
  std::string ordering_key;
  std::map<std::string, std::string> attributes;
  std::string parent_event_id;
  uint32_t hop_count = 0;
  std::vector<Sequence> ancestors;              // the root of the tree first, the parent last
  std::vector<std::string> required_listeners;  // whom the publisher cannot do without
  std::optional<SystemTime> expire_time;
  // The publisher's message, serialised deterministically, without what the bus fills in: two publishes are the same
  // exactly when these bytes are.
  std::string body;

  // What it costs to keep, in bytes.
  size_t Bytes() const { return body.size() + 512 + attributes.size() * 256; }
};

using EventPtr = std::shared_ptr<const Event>;

inline bool HasExpired(const Event& event, SystemTime now) { return event.expire_time && *event.expire_time <= now; }

}  // namespace pvebus::bus
