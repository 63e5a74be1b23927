#pragma once

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "pvebus/bus/v1/journal_service.pb.h"

namespace pvebus::cli {

// Hands everything that the bus sends to `on_event`, until it returns false, the bus ends the stream or `context` is cancelled
// (by Ctrl-C): all three are OK. Blocks.
absl::Status StreamEvents(const std::shared_ptr<grpc::Channel>& channel, const bus::v1::WatchEventsRequest& request,
                          grpc::ClientContext& context, const std::function<bool(const bus::v1::WatchEventsResponse&)>& on_event);

}  // namespace pvebus::cli
