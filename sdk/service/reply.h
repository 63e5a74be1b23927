#pragma once

#include <stop_token>
#include <utility>

#include "absl/status/status.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "sdk/base/executor.h"
#include "sdk/status/status.h"

// How unary calls of the callback interface end. Any thread.
namespace pvebus::service {

// Ends a unary call.
inline grpc::ServerUnaryReactor* Reply(grpc::CallbackServerContext* context, const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

// Does the work where it may block, and replies with its status.
template <typename Work>
grpc::ServerUnaryReactor* ReplyLater(grpc::CallbackServerContext* context, Executor& executor, Work work) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  executor.Post([reactor, work = std::move(work)] { reactor->Finish(ToGrpcStatus(work())); });
  return reactor;
}

// A call whose work ends when its client hangs up. Lives until gRPC is done with it.
class StoppableCall final : public grpc::ServerUnaryReactor {
 public:
  std::stop_token stop() const { return stop_.get_token(); }

 private:
  void OnCancel() override { stop_.request_stop(); }
  void OnDone() override { delete this; }

  std::stop_source stop_;
};

}  // namespace pvebus::service
