#include "sdk/client/event_context.h"

#include <utility>

#include "sdk/base/error.h"

namespace pvebus::client {

EventContext::EventContext(const bus::v1::Delivery& delivery, const Publisher* publisher, std::stop_token stop)
    : delivery_(delivery), publisher_(publisher), stop_(std::move(stop)) {}

absl::StatusOr<bus::v1::PublishResponse> EventContext::Publish(event::v1::SystemEvent event,
                                                               const PublishOptions& options) const {
  if (!publisher_) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "PUBLISHER_MISSING", "this listener was made without a publisher");
  }
  event.mutable_causation()->set_parent_event_id(delivery_.event().event_id());
  if (options.stop.stop_possible()) return publisher_->Publish(std::move(event), options);
  PublishOptions stoppable = options;
  stoppable.stop = stop_;
  return publisher_->Publish(std::move(event), stoppable);
}

}  // namespace pvebus::client
