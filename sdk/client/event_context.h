#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "pvebus/bus/v1/listener_service.pb.h"
#include "sdk/base/clock.h"
#include "sdk/client/publisher.h"

namespace pvebus::client {

// One delivery as its handler sees it. Lives as long as the handler runs; used by the handler's thread (and threads it waits
// for).
class EventContext {
 public:
  // Requires: the arguments outlive the context. `publisher` may be null: then Publish is FAILED_PRECONDITION.
  EventContext(const bus::v1::Delivery& delivery, const Publisher* publisher, std::stop_token stop);

  const event::v1::SystemEvent& event() const { return delivery_.event(); }
  uint32_t attempt() const { return delivery_.attempt(); }
  uint32_t max_attempts() const { return delivery_.max_attempts(); }
  const std::string& replay_id() const { return delivery_.replay_id(); }
  bool dry_run() const { return delivery_.dry_run(); }
  // Requested when the answer no longer counts: Stop's grace is over, or the listener lost its name for good. A stream that was
  // merely lost is no reason: the work is finished, remembered, and acknowledged when the event comes again.
  const std::stop_token& stop() const { return stop_; }

  // Publishes an event caused by this one: the causation is filled in. Ends early when stop() is requested, unless the options
  // bring a stop token of their own.
  absl::StatusOr<bus::v1::PublishResponse> Publish(event::v1::SystemEvent event, const PublishOptions& options = {}) const;

 private:
  const bus::v1::Delivery& delivery_;
  const Publisher* publisher_;
  std::stop_token stop_;
};

}  // namespace pvebus::client
