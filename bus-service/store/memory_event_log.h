#pragma once

#include <deque>

#include "bus-service/core/event_log.h"

namespace pvebus::bus {

// Events in memory up to a number of bytes: nothing survives the process. The bus's thread only.
class MemoryEventLog final : public EventLog {
 public:
  explicit MemoryEventLog(size_t max_bytes) : max_bytes_(max_bytes) {}

  // Begins with what another log has kept. Requires: empty.
  void Restore(const std::vector<EventPtr>& events, Sequence last_sequence);

  void Append(std::shared_ptr<Event> event, AppendDone done) override;
  void Read(Sequence from, size_t max_events, size_t max_bytes, ReadDone done) override;
  bool HasRoomFor(size_t bytes) const override { return bytes_ + bytes <= max_bytes_; }
  void DropFirst() override;
  Stats GetStats() const override;

 private:
  const size_t max_bytes_;
  std::deque<EventPtr> events_;
  size_t bytes_ = 0;
  Sequence last_sequence_ = 0;
};

}  // namespace pvebus::bus
