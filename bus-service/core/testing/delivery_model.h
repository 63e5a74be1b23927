#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bus-service/core/messages.h"
#include "bus-service/core/publication.h"

namespace pvebus::bus {

// What is promised to one listener, computed anew from what was seen from outside: which events it is owed, what each answer must
// do, what time must do. It says nothing about when an owed event is sent, but judges every delivery. Broken promises are
// collected by name. One thread.
class DeliveryModel {
 public:
  enum class State : uint8_t { kWaiting, kInFlight, kBackoff, kDone };
  struct Delivery {
    EventPtr event;
    State state = State::kWaiting;
    DeliveryState outcome = DeliveryState::kQueued;  // kDone
    uint32_t attempts = 0;                           // counted ones, the one in flight included
    uint32_t lost_sessions = 0;
    bool answered = false;
    SteadyTime due;         // kInFlight: the deadline; kBackoff: the next attempt
    SteadyTime latest_due;  // extensions end here
    uint64_t newest_id = 0;
    std::vector<uint64_t> ids;  // of this session
  };

  // Jitter must be the middle of its range: the model expects it not to be there.
  DeliveryModel(std::string name, DeliveryPolicy policy, uint32_t event_types, std::vector<std::string>& broken)
      : name_(std::move(name)), policy_(policy), event_types_(event_types), broken_(broken) {}

  bool Wants(const Event& event) const { return (event_types_ & (1u << static_cast<int>(event.type))) != 0; }
  void Owe(EventPtr event);
  // An event from before the listener's time: owed only after a move back.
  void MayOwe(EventPtr event);

  void BeginSession(uint32_t max_in_flight);
  void LoseSession(SteadyTime now, SystemTime system_now, uint32_t max_lost_sessions);
  void SetWindow(uint32_t max_in_flight) { window_ = max_in_flight; }
  void SetPaused(bool paused) { paused_ = paused; }
  void Drain() { draining_ = true; }

  // A delivery came; judges it.
  void Sent(const OutgoingDelivery& delivery, SteadyTime now);
  // An answer; what its confirmation must say.
  ConfirmationStatus Settle(const Settlement& settlement, SteadyTime now, SystemTime system_now);
  void Extend(uint64_t delivery_id, std::optional<Duration> ack_deadline, SteadyTime now);
  void TimePasses(SteadyTime now, SystemTime system_now);
  // `read_until` is where the listener was in the journal.
  void Seek(Sequence target, Sequence read_until);

  uint64_t Owed() const { return Count(State::kWaiting) + Count(State::kInFlight) + Count(State::kBackoff); }
  // How many events may be owed again after a move back, without the model knowing how far the bus has come.
  uint64_t PerhapsOwedAgain() const;
  uint64_t Count(State state) const;
  // Events that should have been sent by now, given that there is room.
  std::vector<Sequence> Overdue(const std::map<std::string, EventPtr>& events_by_id) const;

  bool connected() const { return connected_; }
  bool can_receive() const { return connected_ && !paused_ && !draining_; }
  bool draining() const { return draining_; }
  uint32_t window() const { return window_; }
  uint64_t ExpiredFrom(Sequence sequence) const;
  // An operator moved it back: what follows may come again.
  bool moved_back() const { return moved_back_; }
  const std::map<Sequence, Delivery>& deliveries() const { return deliveries_; }
  const std::string& name() const { return name_; }

 private:
  void Broke(const char* promise, const std::string& what);
  Duration Backoff(uint32_t failed_attempts) const;
  void Fail(Delivery& delivery, std::optional<Duration> delay, SteadyTime now, SystemTime system_now);
  void BackOff(Delivery& delivery, Duration wait, SteadyTime now);
  void Finish(Delivery& delivery, DeliveryState outcome);
  bool BusyWithAncestor(const Event& event, const std::map<std::string, EventPtr>& events_by_id) const;

  const std::string name_;
  const DeliveryPolicy policy_;
  const uint32_t event_types_;
  std::vector<std::string>& broken_;

  std::map<Sequence, Delivery> deliveries_;
  Sequence again_from_ = 0;  // after a move back: what may come again
  bool moved_back_ = false;
  Sequence again_until_ = 0;
  bool connected_ = false;
  bool paused_ = false;
  bool draining_ = false;
  uint32_t window_ = 0;
  std::set<uint64_t> given_ids_;  // in this session
};

}  // namespace pvebus::bus
