#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/client_context.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "pvebus/bus/v1/hook.pb.h"
#include "sdk/hooks/hook_chain.h"
#include "sdk/service/reply.h"

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

// The messages of an RPC, from the method of its stub.
template <typename Method>
struct MessagesOf;
template <typename Stub, typename RpcRequest, typename RpcResponse>
struct MessagesOf<grpc::Status (Stub::*)(grpc::ClientContext*, const RpcRequest&, RpcResponse*)> {
  using Request = RpcRequest;
  using Response = RpcResponse;
};

// Serves ListHooks, ListHookExecutions, GetHookStatistics and ClearHookExecutions of `Contract` (for example
// v1::StorageService) from a hook chain; the rest of the contract is for who derives from it. Owned by main. Any thread.
// Requires: the chain outlives it.
template <typename Contract>
class HookRpc : public Contract::CallbackService {
  using Stub = typename Contract::Stub;

 public:
  using Hooks = MessagesOf<decltype(&Stub::ListHooks)>;
  using Executions = MessagesOf<decltype(&Stub::ListHookExecutions)>;
  using Statistics = MessagesOf<decltype(&Stub::GetHookStatistics)>;
  using Clearing = MessagesOf<decltype(&Stub::ClearHookExecutions)>;

  explicit HookRpc(hooks::HookChain& chain) : chain_(chain) {}

  grpc::ServerUnaryReactor* ListHooks(grpc::CallbackServerContext* context, const typename Hooks::Request*,
                                      typename Hooks::Response* response) override {
    for (bus::v1::Hook& hook : chain_.List()) *response->add_hooks() = std::move(hook);
    return service::Reply(context, absl::OkStatus());
  }

  grpc::ServerUnaryReactor* ListHookExecutions(grpc::CallbackServerContext* context, const typename Executions::Request* request,
                                               typename Executions::Response* response) override {
    const absl::StatusOr<std::string> resource = ResourceAskedFor(*request);
    if (!resource.ok()) return service::Reply(context, resource.status());
    hooks::ExecutionQuery query{
        .hook = request->hook(), .state = request->state(), .event_id = request->event_id(), .resource = *resource};
    if (absl::Status status = SetStartBounds(*request, query); !status.ok()) return service::Reply(context, status);
    auto page = ReadExecutions(chain_, {request->page_size(), request->page_token(), query});
    if (!page.ok()) return service::Reply(context, page.status());
    for (bus::v1::HookExecution& execution : page->executions) *response->add_executions() = std::move(execution);
    response->set_next_page_token(page->next_page_token);
    return service::Reply(context, absl::OkStatus());
  }

  grpc::ServerUnaryReactor* GetHookStatistics(grpc::CallbackServerContext* context, const typename Statistics::Request* request,
                                              typename Statistics::Response* response) override {
    auto statistics = ReadStatistics(chain_, request->hook());
    if (!statistics.ok()) return service::Reply(context, statistics.status());
    for (bus::v1::HookStatistics& entry : *statistics) *response->add_statistics() = std::move(entry);
    return service::Reply(context, absl::OkStatus());
  }

  // Ends when the history is gone for good, which a disk may delay.
  grpc::ServerUnaryReactor* ClearHookExecutions(grpc::CallbackServerContext* context, const typename Clearing::Request*,
                                                typename Clearing::Response* response) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    chain_.ClearExecutions([reactor, response](size_t cleared) {
      response->set_cleared_count(cleared);
      reactor->Finish(grpc::Status::OK);
    });
    return reactor;
  }

 protected:
  // What the events of the wanted executions were about ("container/101"); empty for all.
  virtual absl::StatusOr<std::string> ResourceAskedFor(const typename Executions::Request&) const { return std::string(); }
  // Sets `from` and `until` of the query, for a contract whose request bounds when the wanted executions began.
  virtual absl::Status SetStartBounds(const typename Executions::Request&, hooks::ExecutionQuery&) const {
    return absl::OkStatus();
  }

 private:
  hooks::HookChain& chain_;
};

}  // namespace pvebus::hook_service
