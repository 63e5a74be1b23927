#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus-service/core/bus.h"
#include "bus-service/core/messages.h"
#include "bus-service/core/session.h"

namespace pvebus::bus {

class BusHarness;

// Counts how often the core had something to say.
class FakeSink final : public SessionSink {
 public:
  void Wake() override { ++wakes; }
  int wakes = 0;
};

// A listener that does exactly what the test says, and remembers everything that it was told. Owned by BusHarness, which lets it
// take its frames after every step.
class ScriptedListener {
 public:
  struct Received {
    OutgoingDelivery delivery;
    SteadyTime time;
    bool answered = false;  // or of an earlier session
  };

  ScriptedListener(BusHarness& harness, std::string name);

  // What Connect registers with; by default patient: a lease of an hour.
  Registration registration;
  // False: it does not take its frames.
  bool reading = true;
  FakeSink sink;

  void Open();      // a stream, nothing said on it
  void Register();  // on the open stream
  void Connect() {
    Open();
    Register();
  }
  void Break();  // the stream is gone
  void HalfClose();
  void Drain();
  void Heartbeat();
  void SetWindow(uint32_t max_in_flight);
  void Extend(std::string_view event_id, std::optional<Duration> ack_deadline = std::nullopt);
  void ExtendDelivery(uint64_t delivery_id, std::optional<Duration> ack_deadline = std::nullopt);

  // Answers for the newest delivery of the event, held or not.
  void Ack(std::string_view event_id) { Answer(event_id, Settlement::Outcome::kAcknowledge); }
  void Retry(std::string_view event_id, std::optional<Duration> delay = std::nullopt) {
    Answer(event_id, Settlement::Outcome::kRetry, delay);
  }
  void Release(std::string_view event_id, std::optional<Duration> delay = std::nullopt) {
    Answer(event_id, Settlement::Outcome::kRelease, delay);
  }
  void DeadLetter(std::string_view event_id) { Answer(event_id, Settlement::Outcome::kDeadLetter); }
  void Skip(std::string_view event_id) { Answer(event_id, Settlement::Outcome::kSkip); }
  void AckAll();
  void Settle(Settlement settlement);
  // What a settlement would say; `confirm` is set.
  Settlement SettlementFor(uint64_t delivery_id, Settlement::Outcome outcome) const;

  // Ids of the events held, in the order in which they came.
  std::vector<std::string> Held() const;
  // Ids of all deliveries ever, in order.
  std::vector<std::string> Order() const;
  int Times(std::string_view event_id) const;
  // The newest delivery of the event. Requires: there is one.
  const Received& Newest(std::string_view event_id) const;

  Session* session() const { return session_; }
  const std::string& name() const { return name_; }
  const Subscription& subscription() const;

  std::vector<Received> received;
  std::vector<Confirmation> confirmations;
  std::vector<RegisteredFrame> registered;
  std::vector<CaughtUpFrame> caught_up;
  std::vector<DrainFrame> drains;
  std::vector<SteadyTime> heartbeats;
  std::vector<size_t> frame_sizes;    // deliveries per frame
  std::optional<absl::Status> ended;  // of the last session

  // Takes what there is. True when there was something.
  bool TakeFrames();

 private:
  friend struct FrameReader;

  void Answer(std::string_view event_id, Settlement::Outcome outcome, std::optional<Duration> delay = std::nullopt);
  void ForgetHeld();

  BusHarness& harness_;
  const std::string name_;
  Session* session_ = nullptr;
};

}  // namespace pvebus::bus
