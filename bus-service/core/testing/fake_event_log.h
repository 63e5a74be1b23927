#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "bus-service/core/event_log.h"

namespace pvebus::bus {

// A journal in memory whose disk is as slow or as broken as the test wants: by default everything is done during the call;
// held appends and reads wait until the test lets them go. One thread.
class FakeEventLog final : public EventLog {
 public:
  size_t max_bytes = size_t{1} << 30;
  bool hold_appends = false;
  bool hold_reads = false;
  absl::Status read_status;  // what reads answer unless it is OK

  void Append(std::shared_ptr<Event> event, AppendDone done) override;
  void Read(Sequence from, size_t max_events, size_t max_bytes, ReadDone done) override;
  bool HasRoomFor(size_t bytes) const override { return bytes_ + bytes <= max_bytes; }
  void DropFirst() override;
  Stats GetStats() const override;

  // The oldest held appends succeed, at most so many.
  void CompleteAppends(size_t most = SIZE_MAX);
  // All held appends fail, newest first.
  void FailAppends(const absl::Status& status);
  // All held reads answer with what is stored now.
  void CompleteReads();

  size_t held_appends() const { return appends_.size(); }
  size_t held_reads() const { return reads_.size(); }
  int reads() const { return read_count_; }

 private:
  struct HeldAppend {
    std::shared_ptr<Event> event;
    AppendDone done;
  };

  void Store(std::shared_ptr<Event> event, const AppendDone& done);

  std::deque<EventPtr> events_;
  size_t bytes_ = 0;
  Sequence last_sequence_ = 0;
  std::deque<HeldAppend> appends_;
  std::vector<std::function<void()>> reads_;
  int read_count_ = 0;
};

}  // namespace pvebus::bus
