#include "cli/event_stream.h"

#include "pvebus/bus/v1/journal_service.grpc.pb.h"
#include "sdk/status/status.h"

namespace pvebus::cli {

absl::Status StreamEvents(const std::shared_ptr<grpc::Channel>& channel, const bus::v1::WatchEventsRequest& request,
                          grpc::ClientContext& context,
                          const std::function<bool(const bus::v1::WatchEventsResponse&)>& on_event) {
  const auto stub = bus::v1::JournalService::NewStub(channel);
  const auto stream = stub->WatchEvents(&context, request);
  bus::v1::WatchEventsResponse response;
  while (stream->Read(&response)) {
    if (!on_event(response)) context.TryCancel();
  }
  const absl::Status status = FromGrpcStatus(stream->Finish());
  return status.code() == absl::StatusCode::kCancelled ? absl::OkStatus() : status;
}

}  // namespace pvebus::cli
