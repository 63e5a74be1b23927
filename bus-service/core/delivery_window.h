#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/container/node_hash_map.h"
#include "bus-service/core/event.h"
#include "bus-service/core/state_log.h"

namespace pvebus::bus {

// Where an entry stands among the others: an event at its sequence, a replay behind all events, in the order of the replays.
using Slot = uint64_t;
inline constexpr Slot kFirstReplaySlot = uint64_t{1} << 62;

struct WindowEntry;

// The entries of one ordering key.
struct WindowKey {
  uint64_t hash = 0;
  WindowEntry* first = nullptr;
  WindowEntry* last = nullptr;
  uint32_t in_flight = 0;
};

// One event that a listener has to settle.
struct WindowEntry {
  enum class State : uint8_t {
    kReady,     // to be sent as soon as it is the first of its ordering key
    kInFlight,  // sent, not answered
    kBackoff,   // waits for its next attempt
    kDeferred,  // waits until the listener has answered for an ancestor of the event
  };

  EventPtr event;
  State state = State::kReady;
  Slot slot = 0;
  bool counts = false;  // its outcome is that of the publish; not if it is older than the listener, or sent again
  std::unique_ptr<const Replay> replay;  // set when an operator asked for it
  std::vector<AttemptRecord> failures;   // attempts that did not succeed; the newest kMaxAttemptRecords
  bool released = false;                 // kBackoff: the listener has handed it back, no attempt has failed
  uint32_t attempt = 0;                  // attempts that count
  uint32_t lost_sessions = 0;
  uint64_t delivery_id = 0;                       // of the newest attempt
  SteadyTime due;                                 // kInFlight: ack deadline; kBackoff: next attempt
  SteadyTime latest_due;                          // kInFlight: extensions end here
  SteadyTime sent_time;                           // of the newest attempt
  Sequence waits_for = 0;                         // kDeferred: the ancestor
  absl::InlinedVector<uint64_t, 2> delivery_ids;  // every attempt of this session that may still be answered

 private:
  friend class DeliveryWindow;
  bool ready_ = false;  // in the window's list of what may be sent
  WindowKey* key_ = nullptr;
  WindowEntry* key_previous_ = nullptr;
  WindowEntry* key_next_ = nullptr;
};

// The unsettled events of one listener that are in memory: their order per ordering key, which of them may be sent next, and
// which delivery id means which. Knows no policy and no time. Addresses of entries are stable. One thread.
class DeliveryWindow {
 public:
  using Entries = absl::btree_map<Slot, std::unique_ptr<WindowEntry>>;

  // Requires: no entry of that slot is there.
  WindowEntry& Add(EventPtr event, Slot slot);
  WindowEntry& Add(const EventPtr& event) { return Add(event, event->sequence); }
  void Erase(WindowEntry& entry);
  void Clear();

  // The first entry that may be sent now; null when there is none.
  WindowEntry* NextReady();
  // Moves to a state; the order per key follows.
  void SetState(WindowEntry& entry, WindowEntry::State state);
  void AddDeliveryId(WindowEntry& entry, uint64_t delivery_id);
  void ForgetDeliveryIds(WindowEntry& entry);
  WindowEntry* FindDelivery(uint64_t delivery_id);
  WindowEntry* Find(Slot slot);
  const WindowEntry* Find(Slot slot) const { return const_cast<DeliveryWindow*>(this)->Find(slot); }
  bool IsFirstOfKey(const WindowEntry& entry) const { return entry.key_previous_ == nullptr; }

  const Entries& entries() const { return entries_; }
  size_t size() const { return entries_.size(); }
  bool has_ready() const { return !ready_.empty(); }
  size_t bytes() const { return bytes_; }
  uint32_t in_flight() const { return in_flight_; }
  uint32_t in_backoff() const { return in_backoff_; }
  uint32_t deferred() const { return deferred_; }

 private:
  bool MayGo(const WindowEntry& entry) const;
  void UpdateReady(WindowEntry& entry);
  uint32_t* Counter(WindowEntry::State state);

  Entries entries_;
  // By the key's hash: two keys with one hash are merely kept in order among each other.
  absl::node_hash_map<uint64_t, WindowKey> keys_;
  absl::btree_map<Slot, WindowEntry*> ready_;
  absl::flat_hash_map<uint64_t, WindowEntry*> by_delivery_id_;
  size_t bytes_ = 0;
  uint32_t in_flight_ = 0;
  uint32_t in_backoff_ = 0;
  uint32_t deferred_ = 0;
};

}  // namespace pvebus::bus
