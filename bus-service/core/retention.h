#pragma once

#include "absl/status/status.h"
#include "bus-service/core/parts.h"
#include "bus-service/core/registry.h"

namespace pvebus::bus {

// Decides what the journal may forget: settled events beyond the limits, oldest first, a few at a time; and events that some
// listener has not seen, when that listener is further behind than it may be. One thread.
class Retention {
 public:
  // Requires: both outlive this.
  Retention(Parts& parts, Registry& registry) : parts_(parts), registry_(registry) {}

  // Forgets what the limits say, so much at once that nobody has to wait for it.
  void Run();
  // Forgets settled events until one of so many bytes has room. RESOURCE_EXHAUSTED JOURNAL_FULL naming who is furthest behind.
  absl::Status MakeRoom(size_t bytes);

 private:
  bool OverLimits(const EventLog::Chunk& chunk, const EventLog::Stats& stats) const;
  // Everybody has settled the chunk, or has lost the right to it.
  bool MayGo(const EventLog::Chunk& chunk);
  void Drop(const EventLog::Chunk& chunk);

  Parts& parts_;
  Registry& registry_;
};

}  // namespace pvebus::bus
