#pragma once

#include <chrono>
#include <memory>

#include "absl/status/statusor.h"
#include "cli/console.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "sdk/status/status.h"

namespace pvebus::cli {

inline constexpr std::chrono::milliseconds kDefaultTimeout = std::chrono::seconds(10);

// OK when somebody answers there; UNAVAILABLE at once, with the system's reason, when nobody does.
absl::Status CheckReachable(const std::shared_ptr<grpc::Channel>& channel, std::chrono::milliseconds timeout);

// One unary call: Call(stub, &Stub::ListListeners, request, timeout).
template <typename Stub, typename Method, typename Request>
auto Call(Stub& stub, Method method, const Request& request, std::chrono::milliseconds timeout) {
  using Response = std::remove_pointer_t<decltype(
      []<typename R>(grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, R*)) -> R* { return nullptr; }(method))>;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  Response response;
  const absl::Status status = FromGrpcStatus((stub.*method)(&context, request, &response));
  if (!status.ok()) return absl::StatusOr<Response>(status);
  return absl::StatusOr<Response>(std::move(response));
}

}  // namespace pvebus::cli
