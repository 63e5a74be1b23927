#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "bus-service/core/publication.h"

namespace pvebus::bus {

// The publications that are in memory: the newest events', and older ones that were recalled because somebody asks for them. What
// is not here can be made again from the journal (Recall). Addresses are stable as long as a publication is here. One thread.
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

  // One that is not here. Requires: its event is durable.
  Publication& Recall(std::unique_ptr<Publication> publication);
  // Lets go of the oldest until the newest cost at most so many bytes, and of recalled ones, unless somebody waits for them.
  // `let_go` is called for each before it is gone.
  void Trim(size_t max_bytes, const std::function<void(Publication&)>& let_go);

  // Lets go of everything before a sequence, unless somebody waits for it: the journal forgets it.
  void DropBefore(Sequence sequence, const std::function<void(Publication&)>& let_go);

  Publication* Find(Sequence sequence) const;
  Publication* FindByEventId(const std::string& event_id) const;
  Publication* FindByRequestId(const std::string& request_id) const;

  // Every publication in memory from a sequence on.
  void ForEachSince(Sequence first, const std::function<void(Publication*)>& visit) const;

  // Of the newest publication ever added; 0 when there was none.
  Sequence last_sequence() const { return last_sequence_; }
  // Of the newest event that is durable: listeners see nothing beyond.
  Sequence journaled_sequence() const { return journaled_sequence_; }
  // What the newest cost to keep, in bytes.
  size_t bytes() const { return bytes_; }
  size_t size() const { return newest_.size() + recalled_.size(); }

 private:
  void Learn(Publication& publication);
  void Forget(const Publication& publication);
  void PopFront(const std::function<void(Publication&)>& let_go);

  std::deque<std::unique_ptr<Publication>> newest_;  // ascending to last_sequence_
  std::map<Sequence, std::unique_ptr<Publication>> recalled_;
  Sequence swept_ = 0;  // how far the look for recalled ones that nobody needs any more is
  Sequence last_sequence_ = 0;
  Sequence journaled_sequence_ = 0;
  size_t bytes_ = 0;
  // The ids are those of the publications' own events.
  absl::flat_hash_map<std::string_view, Publication*> by_event_id_;
  absl::flat_hash_map<std::string_view, Publication*> by_request_id_;
};

}  // namespace pvebus::bus
