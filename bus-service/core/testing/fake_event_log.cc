#include "bus-service/core/testing/fake_event_log.h"

namespace pvebus::bus {

void FakeEventLog::Append(std::shared_ptr<Event> event, AppendDone done) {
  bytes_ += event->Bytes();
  if (hold_appends) {
    appends_.push_back({std::move(event), std::move(done)});
  } else {
    journal_.Append(std::move(event), std::move(done));
  }
}

void FakeEventLog::CompleteAppends(size_t most) {
  for (; most > 0 && !appends_.empty(); --most) {
    HeldAppend append = std::move(appends_.front());
    appends_.pop_front();
    journal_.Append(std::move(append.event), std::move(append.done));
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
    journal_.Read(from, max_events, max_read_bytes, done);
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

void FakeEventLog::LookUp(std::function<void()> lookup) {
  if (hold_lookups) {
    lookups_.push_back(std::move(lookup));
  } else {
    lookup();
  }
}

void FakeEventLog::CompleteLookups(size_t most) {
  for (; most > 0 && !lookups_.empty(); --most) {
    const auto lookup = std::move(lookups_.front());
    lookups_.pop_front();
    lookup();
  }
}

void FakeEventLog::CompleteNewestLookup() {
  const auto lookup = std::move(lookups_.back());
  lookups_.pop_back();
  lookup();
}

void FakeEventLog::FindByEventId(const std::string& event_id, FindDone done) {
  LookUp([=, this] { journal_.FindByEventId(event_id, done); });
}

void FakeEventLog::FindByRequestId(const std::string& request_id, FindDone done) {
  LookUp([=, this] { journal_.FindByRequestId(request_id, done); });
}

void FakeEventLog::FindByTime(SystemTime time, SequenceDone done) {
  LookUp([=, this] { journal_.FindByTime(time, done); });
}

void FakeEventLog::ReadChildren(Sequence parent, size_t max_events, ReadDone done) {
  LookUp([=, this] { journal_.ReadChildren(parent, max_events, done); });
}

void FakeEventLog::Count(Sequence from, Sequence to, std::function<bool(const Event&)> wanted, CountDone done) {
  LookUp([=, this] { journal_.Count(from, to, wanted, done); });
}

void FakeEventLog::ReadDeliveries(Sequence sequence, DeliveriesDone done) {
  // What is read is what is there now, however late the answer comes.
  journal_.ReadDeliveries(sequence, [this, done = std::move(done)](absl::StatusOr<Deliveries> deliveries) {
    LookUp([done, deliveries = std::move(deliveries)] { done(deliveries); });
  });
}

void FakeEventLog::ReadDeadLetters(uint64_t after_id, size_t max_letters, size_t max_read_bytes, DeadLettersDone done) {
  journal_.ReadDeadLetters(after_id, max_letters, max_read_bytes, [this, done](absl::StatusOr<std::vector<DeadLetter>> letters) {
    LookUp([done, letters = std::move(letters)] { done(letters); });
  });
}

void FakeEventLog::ReadReplays(ListenerId listener, uint64_t after_number, size_t max_replays, size_t max_read_bytes,
                               ReplaysDone done) {
  LookUp([=, this] { journal_.ReadReplays(listener, after_number, max_replays, max_read_bytes, done); });
}

void FakeEventLog::DropOldestChunk() {
  bytes_ -= journal_.OldestChunk()->event_bytes;
  journal_.DropOldestChunk();
}

EventLog::Stats FakeEventLog::GetStats() const {
  Stats stats = journal_.GetStats();
  stats.durable = true;
  stats.read_only = damaged;
  stats.max_event_bytes = max_bytes;
  if (damaged) stats.problems = {{"events", 1, "event 1 does not match its checksum"}};
  return stats;
}

}  // namespace pvebus::bus
