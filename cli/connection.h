#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "cli/console.h"
#include "cli/progress.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "sdk/base/clock.h"
#include "sdk/client/channel.h"
#include "sdk/status/status.h"

namespace pvebus::cli {

inline constexpr std::chrono::milliseconds kDefaultTimeout = std::chrono::seconds(10);
// The most that the lists of the contract give out at once.
inline constexpr int kPageSize = 1000;

// OK when somebody answers there; UNAVAILABLE at once, with the system's reason, when nobody does.
absl::Status CheckReachable(const std::shared_ptr<grpc::Channel>& channel, std::chrono::milliseconds timeout);

// INTERNAL: the server gave out the page that it was asked to go on from.
absl::Status PageRepeated(const Server& server);

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

// One question to the server, with progress when the answer takes long: Ask<RegistryService>(&Stub::GetListener, ...).
template <typename Service, typename Method, typename Request>
auto Ask(Method method, const Request& request, const GlobalOptions& global, Console& console) {
  const auto stub = Service::NewStub(client::Connect(global.server.address));
  const RealClock clock;
  const Progress progress("waiting for " + global.server.name, clock, console);
  return Call(*stub, method, request, global.TimeoutOr(kDefaultTimeout));
}

// Asks for page after page until the last one, or until `on_page(response)` returns false.
template <typename Service, typename Method, typename Request, typename OnPage>
absl::Status ForEachPage(Method method, Request request, const GlobalOptions& global, OnPage on_page) {
  const auto stub = Service::NewStub(client::Connect(global.server.address));
  if (request.page_size() == 0) request.set_page_size(kPageSize);
  for (;;) {
    auto page = Call(*stub, method, request, global.TimeoutOr(kDefaultTimeout));
    if (!page.ok()) return page.status();
    const std::string next = page->next_page_token();
    if (!on_page(*page) || next.empty()) return absl::OkStatus();
    if (next == request.page_token()) return PageRepeated(global.server);
    request.set_page_token(next);
  }
}

}  // namespace pvebus::cli
