#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "bus-service/core/event.h"

namespace pvebus::bus {

// Where events live. Called on the bus's thread only, and calls back on it: during the call or later.
class EventLog {
 public:
  struct Stats {
    bool durable = false;
    uint64_t event_count = 0;
    uint64_t event_bytes = 0;
    uint64_t max_event_bytes = 0;
    Sequence first_sequence = 0;  // 0: empty
    Sequence last_sequence = 0;   // of the newest event ever stored
  };
  using AppendDone = std::function<void(absl::Status)>;
  using ReadDone = std::function<void(absl::StatusOr<std::vector<EventPtr>>)>;

  virtual ~EventLog() = default;

  // Stores the event. Requires: its sequence is the one after the last. `done` is called in the order of the calls: OK means that
  // the event is as safe as this log can make it. When one cannot be stored, nothing after it is either: the failures are
  // reported newest first, and their sequences are given out again.
  virtual void Append(std::shared_ptr<Event> event, AppendDone done) = 0;
  // Events from `from` on, ascending, at most so many and, after the first, so many bytes.
  virtual void Read(Sequence from, size_t max_events, size_t max_bytes, ReadDone done) = 0;
  // True when an event of so many bytes finds room.
  virtual bool HasRoomFor(size_t bytes) const = 0;
  // Forgets the oldest event. Requires: there is one.
  virtual void DropFirst() = 0;
  virtual Stats GetStats() const = 0;
  // Stores what is there; nobody is called back after it, and nothing else may be asked.
  virtual void Close() {}
};

}  // namespace pvebus::bus
