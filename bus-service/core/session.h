#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "bus-service/core/messages.h"
#include "bus-service/core/parts.h"

namespace pvebus::bus {

class Registry;
class Subscription;

// One Listen stream: checks who speaks when, keeps the lease, and says what is to be sent next. The stream itself belongs to
// somebody else, who is told through SessionSink. One thread.
class Session {
 public:
  // Requires: parts, registry and sink outlive this.
  Session(Parts& parts, Registry& registry, SessionSink& sink, uint64_t number, std::string peer);
  ~Session();

  // What the listener says, in the order in which it says it.
  void OnRegistration(Registration registration);
  void OnSettlements(const std::vector<Settlement>& settlements);
  void OnExtension(const Extension& extension);
  void OnHeartbeat();
  void OnFlowUpdate(uint32_t max_in_flight);
  void OnDrain();
  void OnMalformed(absl::Status status);
  void OnHalfClose();
  // The stream is gone.
  void OnBroken();

  // What to send next; nothing when there is nothing now.
  std::optional<Frame> TakeFrame();
  // Set when the stream is to be ended with this status, after TakeFrame has nothing more.
  const std::optional<absl::Status>& ended() const { return ended_; }
  // False while the listener does not read what it has caused: then it is not read from either.
  bool wants_messages() const { return !ended_ && confirmations_.size() + unconfirmed_ < kMaxUnsentConfirmations; }
  // The stream tells whether a write is under way.
  void SetWriting(bool writing);

  // Ends the session from the bus's side: the listener learns that what it holds is no longer its own.
  void End(absl::Status status, bool lost);
  // The bus is leaving.
  void BusDrain(Duration grace);
  void Wake() { sink_.Wake(); }

  uint64_t number() const { return number_; }
  uint64_t NextDeliveryId() { return (number_ << kDeliveryBits) | ++deliveries_; }
  uint64_t epoch() const { return epoch_; }
  const std::string& peer() const { return peer_; }
  const std::string& instance_id() const { return registration_.instance_id; }
  const std::string& node() const { return registration_.node; }
  Duration lease() const { return registration_.lease; }
  SystemTime lease_end() const;
  SystemTime connect_time() const { return connect_time_; }
  Subscription* subscription() const { return subscription_.get(); }
  bool draining() const { return draining_; }
  // How long the stream's present write has been under way; zero when there is none.
  Duration WriteAge() const;

 private:
  static constexpr int kDeliveryBits = 36;

  bool Registered(std::string_view got);
  void Register();
  void Heard();
  void Confirm(uint64_t delivery_id, ConfirmationStatus status);
  void ConfirmWhenDurable(std::vector<Confirmation> confirmations);
  ConfirmationStatus StatusOfUnheld(uint64_t delivery_id) const;
  void CheckLease();
  void CheckSilence();
  void EndWhenDrained();

  Parts& parts_;
  Registry& registry_;
  SessionSink& sink_;
  const uint64_t number_;
  const std::string peer_;

  Registration registration_;
  std::shared_ptr<Subscription> subscription_;  // while the session holds the name
  uint64_t epoch_ = 0;
  uint64_t deliveries_ = 0;
  SystemTime connect_time_;
  SteadyTime last_heard_;
  SteadyTime last_sent_;
  std::optional<SteadyTime> writing_since_;
  TimerQueue::Id lease_timer_;
  TimerQueue::Id heartbeat_timer_;

  std::optional<RegisteredFrame> registered_;
  std::deque<Confirmation> confirmations_;
  size_t unconfirmed_ = 0;  // asked for, not durable yet
  const std::shared_ptr<int> alive_ = std::make_shared<int>();
  std::optional<DrainFrame> drain_;
  bool heartbeat_due_ = false;
  bool draining_ = false;
  bool half_closed_ = false;
  bool registering_ = false;  // the journal is asked where a time is
  std::optional<absl::Status> ended_;
};

}  // namespace pvebus::bus
