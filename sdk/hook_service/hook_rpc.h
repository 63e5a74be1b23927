#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "pvebus/bus/v1/hook.pb.h"
#include "sdk/hooks/hook_chain.h"
#include "sdk/status/status.h"

// The four RPCs that every service with a HookChain has, over the messages of its own contract: they differ in name only. A
// bad page_size, page_token or state is INVALID_ARGUMENT, an unknown hook NOT_FOUND with the nearest one. Any thread.
namespace pvebus::hook_service {

// A request for executions, free of its service's message type.
struct ExecutionsRequest {
  int32_t page_size = 0;
  std::string page_token;
  hooks::ExecutionQuery query;
};
struct ExecutionsPage {
  std::vector<bus::v1::HookExecution> executions;
  std::string next_page_token;
};
absl::StatusOr<ExecutionsPage> ReadExecutions(const hooks::HookChain& chain, ExecutionsRequest request);
absl::StatusOr<std::vector<bus::v1::HookStatistics>> ReadStatistics(const hooks::HookChain& chain, const std::string& hook);

template <typename Response>
absl::Status ListHooks(const hooks::HookChain& chain, Response& response) {
  for (bus::v1::Hook& hook : chain.List()) *response.add_hooks() = std::move(hook);
  return absl::OkStatus();
}

// `resource`: what the events were about, empty for all.
template <typename Request, typename Response>
absl::Status ListHookExecutions(const hooks::HookChain& chain, const Request& request, const std::string& resource,
                                Response& response) {
  auto page = ReadExecutions(
      chain, {request.page_size(),
              request.page_token(),
              {.hook = request.hook(), .state = request.state(), .event_id = request.event_id(), .resource = resource}});
  if (!page.ok()) return page.status();
  for (bus::v1::HookExecution& execution : page->executions) *response.add_executions() = std::move(execution);
  response.set_next_page_token(page->next_page_token);
  return absl::OkStatus();
}

template <typename Request, typename Response>
absl::Status GetHookStatistics(const hooks::HookChain& chain, const Request& request, Response& response) {
  auto statistics = ReadStatistics(chain, request.hook());
  if (!statistics.ok()) return statistics.status();
  for (bus::v1::HookStatistics& entry : *statistics) *response.add_statistics() = std::move(entry);
  return absl::OkStatus();
}

// Ends a unary call.
inline grpc::ServerUnaryReactor* Reply(grpc::CallbackServerContext* context, const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

// Ends the call when the history is gone for good, which a disk may delay.
template <typename Response>
grpc::ServerUnaryReactor* ClearHookExecutions(grpc::CallbackServerContext* context, hooks::HookChain& chain, Response* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  chain.ClearExecutions([reactor, response](size_t cleared) {
    response->set_cleared_count(cleared);
    reactor->Finish(grpc::Status::OK);
  });
  return reactor;
}

}  // namespace pvebus::hook_service
