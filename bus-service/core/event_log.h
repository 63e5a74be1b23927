#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bus-service/core/event.h"
#include "bus-service/core/lost_ranges.h"

namespace pvebus::bus {

// A part of a journal that is not as it was written.
struct JournalProblem {
  std::string part;       // "events", "deliveries", "journal.db", ...
  Sequence sequence = 0;  // the event, where it is one
  std::string message;
};

// What an operator gave up, so that a damaged journal could go on.
struct Loss {
  std::string part;    // as in JournalProblem
  Sequence first = 0;  // the events, where it is about some
  Sequence last = 0;
  std::string message;
  SystemTime time;
};

// Where events live. Called on the bus's thread only, and calls back on it: during the call or later. Every reader sees every
// event whose Append has been called back, and may see those that follow.
class EventLog {
 public:
  struct Stats {
    bool durable = false;
    // Damaged: nothing is stored any more.
    bool read_only = false;
    uint64_t event_count = 0;
    uint64_t event_bytes = 0;  // as Event::Bytes counts them
    uint64_t max_event_bytes = 0;
    Sequence first_sequence = 0;           // 0: empty
    Sequence last_sequence = 0;            // of the newest event ever stored
    std::vector<JournalProblem> problems;  // at most kMaxProblems
    std::vector<Loss> losses;              // the newest kMaxLosses
  };
  static constexpr size_t kMaxProblems = 100;
  static constexpr size_t kMaxLosses = 100;

  // The oldest events, which are forgotten together.
  struct Chunk {
    Sequence end = 0;  // the first sequence after it
    uint64_t event_count = 0;
    uint64_t event_bytes = 0;
    SystemTime newest;  // publish time of its last event
  };

  using AppendDone = std::function<void(absl::Status)>;
  using ReadDone = std::function<void(absl::StatusOr<std::vector<EventPtr>>)>;
  using FindDone = std::function<void(absl::StatusOr<EventPtr>)>;  // null: there is none
  using SequenceDone = std::function<void(absl::StatusOr<Sequence>)>;
  using CountDone = std::function<void(absl::StatusOr<uint64_t>)>;
  using VerifyProgress = std::function<void(uint64_t checked_events, std::vector<JournalProblem> found, bool done)>;

  virtual ~EventLog() = default;

  // Stores the event. Requires: its sequence is the one after the last. `done` is called in the order of the calls: OK means that
  // the event is as safe as this log can make it. When one cannot be stored, nothing after it is either: the failures are
  // reported newest first, and their sequences are given out again.
  virtual void Append(std::shared_ptr<Event> event, AppendDone done) = 0;
  // Events from `from`, or the oldest one, on, ascending and without a gap but for lost(), at most so many and, after the first,
  // so many bytes.
  // DATA_LOSS when the next one is damaged or missing.
  virtual void Read(Sequence from, size_t max_events, size_t max_bytes, ReadDone done) = 0;
  // The event with exactly this id.
  virtual void FindByEventId(const std::string& event_id, FindDone done) = 0;
  virtual void FindByRequestId(const std::string& request_id, FindDone done) = 0;
  // The first event published at or after `time`; the one after the last when there is none.
  virtual void FindByTime(SystemTime time, SequenceDone done) = 0;
  // False when there is surely no such event; decided in memory.
  virtual bool MayHaveEventId(const std::string&) const { return true; }
  virtual bool MayHaveRequestId(const std::string&) const { return true; }
  // Events whose parent this one is, ascending.
  virtual void ReadChildren(Sequence parent, size_t max_events, ReadDone done) = 0;
  // Of the events in [from, to], how many `wanted` says yes to. `wanted` is called by any thread, one at a time, and owns what it
  // looks at.
  virtual void Count(Sequence from, Sequence to, std::function<bool(const Event&)> wanted, CountDone done) = 0;
  // Compares everything with its checksums. `progress` is called now and then, the last time with done; or no more when `stop` is
  // requested, which ends it within some hundred milliseconds.
  virtual void Verify(std::stop_token stop, VerifyProgress progress) = 0;

  // True when an event of so many bytes finds room.
  virtual bool HasRoomFor(size_t bytes) const = 0;
  // Nothing when the log is empty.
  virtual std::optional<Chunk> OldestChunk() const = 0;
  // Forgets the oldest chunk, and what is known of its events' deliveries. Requires: there is one.
  virtual void DropOldestChunk() = 0;
  virtual bool read_only() const = 0;
  virtual const LostRanges& lost() const = 0;
  // Of the oldest event; 0 when there is none.
  virtual Sequence first_sequence() const { return GetStats().first_sequence; }
  virtual Stats GetStats() const = 0;
  // Stores what is there; nobody is called back after it, and nothing else may be asked.
  virtual void Close() {}
};

}  // namespace pvebus::bus
