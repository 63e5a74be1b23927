#include "cli/connection.h"

#include "absl/status/status.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace pvebus::cli {

absl::Status CheckReachable(const std::shared_ptr<grpc::Channel>& channel, std::chrono::milliseconds timeout) {
  const auto stub = grpc::health::v1::Health::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  grpc::health::v1::HealthCheckResponse response;
  const grpc::Status status = stub->Check(&context, {}, &response);
  const bool nobody =
      status.error_code() == grpc::StatusCode::UNAVAILABLE || status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
  return nobody ? FromGrpcStatus(status) : absl::OkStatus();
}

absl::Status PageRepeated(const Server& server) {
  return absl::InternalError(server.name + " gave out the same page again: the list has no end");
}

}  // namespace pvebus::cli
