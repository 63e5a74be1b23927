#include "bus-service/core/testing/scripted_listener.h"

#include <stdexcept>

#include "bus-service/core/testing/bus_harness.h"

namespace pvebus::bus {

ScriptedListener::ScriptedListener(BusHarness& harness, std::string name) : harness_(harness), name_(std::move(name)) {
  registration.listener = name_;
  registration.instance_id = name_ + "-1";
  registration.node = "node1";
  registration.lease = std::chrono::hours(1);
}

void ScriptedListener::Open() {
  ended.reset();
  session_ = &harness_.bus.OpenSession(sink, "ipv4:127.0.0.1:" + std::to_string(40'000 + registered.size()));
  harness_.Flush();
}

void ScriptedListener::Register() {
  session_->OnRegistration(registration);
  harness_.Flush();
}

void ScriptedListener::Break() {
  if (!session_) return;
  harness_.bus.CloseSession(*session_);
  session_ = nullptr;
  ForgetHeld();
  harness_.Flush();
}

void ScriptedListener::HalfClose() {
  session_->OnHalfClose();
  harness_.Flush();
}

void ScriptedListener::Drain() {
  session_->OnDrain();
  harness_.Flush();
}

void ScriptedListener::Heartbeat() {
  session_->OnHeartbeat();
  harness_.Flush();
}

void ScriptedListener::SetWindow(uint32_t max_in_flight) {
  session_->OnFlowUpdate(max_in_flight);
  harness_.Flush();
}

void ScriptedListener::Extend(std::string_view event_id, std::optional<Duration> ack_deadline) {
  ExtendDelivery(Newest(event_id).delivery.delivery_id, ack_deadline);
}

void ScriptedListener::ExtendDelivery(uint64_t delivery_id, std::optional<Duration> ack_deadline) {
  Extension extension;
  extension.delivery_id = delivery_id;
  extension.ack_deadline = ack_deadline;
  session_->OnExtension(extension);
  harness_.Flush();
}

Settlement ScriptedListener::SettlementFor(uint64_t delivery_id, Settlement::Outcome outcome) const {
  Settlement settlement;
  settlement.delivery_id = delivery_id;
  settlement.confirm = true;
  settlement.outcome = outcome;
  if (outcome != Settlement::Outcome::kAcknowledge) settlement.error = {9, "TEST_REASON", "the test said no", {}, true};
  return settlement;
}

void ScriptedListener::Answer(std::string_view event_id, Settlement::Outcome outcome, std::optional<Duration> delay) {
  Settlement settlement = SettlementFor(Newest(event_id).delivery.delivery_id, outcome);
  settlement.retry_delay = delay;
  Settle(std::move(settlement));
}

void ScriptedListener::Settle(Settlement settlement) {
  for (Received& one : received) {
    if (one.delivery.delivery_id == settlement.delivery_id) one.answered = true;
  }
  session_->OnSettlements({std::move(settlement)});
  harness_.Flush();
}

void ScriptedListener::AckAll() {
  for (auto held = Held(); !held.empty(); held = Held()) {
    for (const std::string& id : held) Ack(id);
  }
}

void ScriptedListener::ForgetHeld() {
  for (Received& one : received) one.answered = true;
}

std::vector<std::string> ScriptedListener::Held() const {
  std::vector<std::string> ids;
  for (const Received& one : received) {
    if (!one.answered) ids.push_back(one.delivery.event->event_id);
  }
  return ids;
}

std::vector<std::string> ScriptedListener::Order() const {
  std::vector<std::string> ids;
  for (const Received& one : received) ids.push_back(one.delivery.event->event_id);
  return ids;
}

int ScriptedListener::Times(std::string_view event_id) const {
  int times = 0;
  for (const Received& one : received) times += one.delivery.event->event_id == event_id;
  return times;
}

const ScriptedListener::Received& ScriptedListener::Newest(std::string_view event_id) const {
  for (auto it = received.rbegin(); it != received.rend(); ++it) {
    if (it->delivery.event->event_id == event_id) return *it;
  }
  throw std::logic_error(name_ + " never got " + std::string(event_id));
}

const Subscription& ScriptedListener::subscription() const { return *harness_.bus.registry().listeners().at(name_).subscription; }

// Puts every frame where the test finds it.
struct FrameReader {
  ScriptedListener& listener;

  void operator()(RegisteredFrame& frame) const { listener.registered.push_back(std::move(frame)); }
  void operator()(DeliveriesFrame& frame) const {
    listener.frame_sizes.push_back(frame.deliveries.size());
    for (OutgoingDelivery& delivery : frame.deliveries) {
      for (auto& earlier : listener.received) earlier.answered |= earlier.delivery.event == delivery.event;
      listener.received.push_back({std::move(delivery), listener.harness_.clock.SteadyNow()});
    }
  }
  void operator()(ConfirmationsFrame& frame) const {
    listener.confirmations.insert(listener.confirmations.end(), frame.confirmations.begin(), frame.confirmations.end());
  }
  void operator()(HeartbeatFrame&) const { listener.heartbeats.push_back(listener.harness_.clock.SteadyNow()); }
  void operator()(CaughtUpFrame& frame) const { listener.caught_up.push_back(frame); }
  void operator()(DrainFrame& frame) const { listener.drains.push_back(std::move(frame)); }
};

bool ScriptedListener::TakeFrames() {
  if (!session_ || !reading) return false;
  bool any = false;
  while (auto frame = session_->TakeFrame()) {
    std::visit(FrameReader{*this}, *frame);
    any = true;
  }
  if (!session_->ended()) return any;
  ended = *session_->ended();
  harness_.bus.CloseSession(*session_);
  session_ = nullptr;
  ForgetHeld();
  return true;
}

}  // namespace pvebus::bus
