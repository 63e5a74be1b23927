#include "bus-service/core/testing/fake_event_log.h"

#include <cassert>

namespace pvebus::bus {

void FakeEventLog::Append(std::shared_ptr<Event> event, AppendDone done) {
  assert(event->sequence == (appends_.empty() ? last_sequence_ : appends_.back().event->sequence) + 1);
  bytes_ += event->Bytes();
  if (hold_appends) {
    appends_.push_back({std::move(event), std::move(done)});
  } else {
    Store(std::move(event), done);
  }
}

void FakeEventLog::Store(std::shared_ptr<Event> event, const AppendDone& done) {
  last_sequence_ = event->sequence;
  events_.push_back(std::move(event));
  done(absl::OkStatus());
}

void FakeEventLog::CompleteAppends(size_t most) {
  for (; most > 0 && !appends_.empty(); --most) {
    HeldAppend append = std::move(appends_.front());
    appends_.pop_front();
    Store(std::move(append.event), append.done);
  }
}

void FakeEventLog::FailAppends(const absl::Status& status) {
  while (!appends_.empty()) {
    HeldAppend append = std::move(appends_.back());
    appends_.pop_back();
    bytes_ -= append.event->Bytes();
    append.done(status);
  }
}

void FakeEventLog::Read(Sequence from, size_t max_events, size_t max_read_bytes, ReadDone done) {
  ++read_count_;
  auto answer = [this, from, max_events, max_read_bytes, done = std::move(done)] {
    if (!read_status.ok()) return done(read_status);
    std::vector<EventPtr> found;
    size_t bytes = 0;
    for (const EventPtr& event : events_) {
      if (event->sequence < from) continue;
      bytes += event->Bytes();
      if (found.size() == max_events || (!found.empty() && bytes > max_read_bytes)) break;
      found.push_back(event);
    }
    done(std::move(found));
  };
  if (hold_reads) {
    reads_.push_back(std::move(answer));
  } else {
    answer();
  }
}

void FakeEventLog::CompleteReads() {
  const auto reads = std::move(reads_);
  reads_.clear();
  for (const auto& read : reads) read();
}

void FakeEventLog::DropFirst() {
  assert(!events_.empty());
  bytes_ -= events_.front()->Bytes();
  events_.pop_front();
}

EventLog::Stats FakeEventLog::GetStats() const {
  Stats stats;
  stats.durable = true;
  stats.event_count = events_.size();
  stats.event_bytes = bytes_;
  stats.max_event_bytes = max_bytes;
  stats.first_sequence = events_.empty() ? 0 : events_.front()->sequence;
  stats.last_sequence = last_sequence_;
  return stats;
}

}  // namespace pvebus::bus
