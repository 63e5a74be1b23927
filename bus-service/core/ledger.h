#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "bus-service/core/publication.h"

namespace pvebus::bus {

// The publications of the events in the journal, by sequence, event id and request id. Addresses are stable. One thread.
class Ledger {
 public:
  // Events up to here were given their sequences in an earlier life. Requires: empty.
  void StartAfter(Sequence last_sequence);
  // Requires: the event's sequence is the one after the last.
  Publication& Add(std::unique_ptr<Publication> publication);
  // The publication's event is durable, and it has its rows.
  void SetJournaled(const Publication& publication);
  // Sets what the listener answered, and counts it.
  void SetAnswer(Publication& publication, ListenerRow& row, std::optional<ListenerError> error, std::string hook_results = {});
  // Takes back the newest one, whose event could not be stored.
  void RemoveLast();
  // Requires: not empty.
  void DropFirst();

  Publication* Find(Sequence sequence) const;
  Publication* FindByEventId(const std::string& event_id) const;
  Publication* FindByRequestId(const std::string& request_id) const;

  bool empty() const { return publications_.empty(); }
  Publication& front() const { return *publications_.front(); }
  Sequence first_sequence() const { return empty() ? 0 : publications_.front()->event->sequence; }
  // Of the newest publication ever added; 0 when there was none.
  Sequence last_sequence() const { return last_sequence_; }
  // Of the newest event that is durable: listeners see nothing beyond.
  Sequence journaled_sequence() const { return journaled_sequence_; }
  // What all rows cost to keep, in bytes.
  size_t row_bytes() const { return row_bytes_; }
  // The first event published at or after `time`; last_sequence + 1 when there is none. Requires: not empty.
  Sequence FirstAtOrAfter(SystemTime time) const;

 private:
  void Forget(const Publication& publication);

  std::deque<std::unique_ptr<Publication>> publications_;
  Sequence last_sequence_ = 0;
  Sequence journaled_sequence_ = 0;
  size_t row_bytes_ = 0;
  absl::flat_hash_map<std::string, Publication*> by_event_id_;
  absl::flat_hash_map<std::string, Publication*> by_request_id_;
};

}  // namespace pvebus::bus
