#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "grpcpp/channel.h"
#include "pvebus/bus/v1/listener_service.pb.h"
#include "sdk/base/clock.h"
#include "sdk/base/log.h"
#include "sdk/client/event_context.h"
#include "sdk/client/publisher.h"

namespace pvebus::client {

// What a handler answers: the outcome of a Settlement.
class Answer {
 public:
  static Answer Ack(bus::v1::Acknowledgement acknowledgement = {});
  static Answer Reject(bus::v1::Rejection rejection);
  // Shorthand: RETRY or DEAD_LETTER with an error.
  static Answer Retry(absl::StatusCode code, std::string reason, std::string message);
  static Answer DeadLetter(absl::StatusCode code, std::string reason, std::string message);
  // No settlement at all: the bus will see the ack deadline pass.
  static Answer None();

  bool is_acknowledgement() const { return settlement_.has_acknowledgement(); }
  const bus::v1::Settlement& settlement() const { return settlement_; }
  bus::v1::Settlement TakeSettlement() && { return std::move(settlement_); }

 private:
  bus::v1::Settlement settlement_;
};

// Runs on one of the listener's threads, never twice at once for one ordering key.
using Handler = std::function<Answer(const EventContext&)>;

enum class ListenerEvent { kRegistered, kCaughtUp, kDisconnected, kRefused, kSuperseded, kDraining, kStopped };

struct ListenerOptions {
  // name, instance_id, filter, ... as the bus shall see them. An empty instance_id gets a random one for the life of the
  // Listener; an unset conflict_policy becomes TAKEOVER_SAME_INSTANCE.
  bus::v1::Registration registration;
  // Handlers that may run at once, each for another ordering key.
  int max_concurrency = 4;
  // An event that was acknowledged and comes again is acknowledged without running the handler; at least so many ids are
  // remembered.
  size_t remembered_events = 4096;
  std::chrono::milliseconds minimum_backoff{100};
  std::chrono::milliseconds maximum_backoff{5000};
  // Told on the listener's threads (kStopped: on the one that calls Stop), not while a lock is held. May be empty. It must not
  // call Stop.
  std::function<void(ListenerEvent, const absl::Status&)> observer;
};

// A named listener on the bus: registers, reconnects with jittered backoff, heartbeats, extends the ack deadlines of what it
// holds, answers for each event. Gives up for good (see status()) when the name is held by another instance, when it was
// superseded or evicted, or when the registration is invalid. Owns its threads; Start and Stop from one thread that is not its
// own, the rest from any.
//
// A handler runs on the thread that read its event; threads beyond that are started when handlers take long. What is not
// handled when a stream ends comes again on the next one; what is not begun when either side drains is released.
class Listener {
 public:
  // `publisher` (for nested publishes) may be null. Requires: publisher, clock and logger outlive the Listener.
  Listener(std::shared_ptr<grpc::Channel> channel, ListenerOptions options, Handler handler, const Publisher* publisher,
           const Clock& clock, Logger& logger);
  ~Listener();  // Stop(0)

  void Start();
  // Waits until the listener holds its name. OK, DEADLINE_EXCEEDED, or why it gave up.
  absl::Status WaitRegistered(std::chrono::milliseconds timeout);
  // Drains: takes nothing new, lets running handlers answer for up to `grace`, leaves (at most 200 ms more), then requests their
  // stop() and waits for them. Idempotent.
  void Stop(std::chrono::milliseconds grace);
  // OK while it works or was stopped; else why it gave up.
  absl::Status status() const;
  // Waits until it gave up or was stopped.
  absl::Status Wait();

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace pvebus::client
