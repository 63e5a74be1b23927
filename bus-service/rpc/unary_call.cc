#include "bus-service/rpc/unary_call.h"

#include "bus-service/rpc/wire.h"
#include "sdk/status/status.h"

namespace pvebus::bus {

UnaryCall::UnaryCall(const Method& method, EventLoop& loop) : method_(method), loop_(loop) {}

void UnaryCall::Listen(const Method& method, EventLoop& loop) {
  auto* call = new UnaryCall(method, loop);
  method.request_call(&call->context_, &call->request_, &call->responder_, static_cast<Tag*>(call));
}

void UnaryCall::Proceed(bool ok) {
  if (arrived_ || !ok || loop_.stopping()) {  // answered, or the server is shutting down
    delete this;
    return;
  }
  arrived_ = true;
  Listen(method_, loop_);
  method_.handle(*this);
}

bool UnaryCall::Parse(google::protobuf::Message& request) {
  const absl::Status status = ParseMessage(request_, request);
  request_.Clear();  // the answer may take long
  if (!status.ok()) Fail(status);
  return status.ok();
}

void UnaryCall::Reply(const google::protobuf::MessageLite& response) {
  responder_.Finish(SerializeMessage(response), grpc::Status::OK, static_cast<Tag*>(this));
}

void UnaryCall::Fail(const absl::Status& status) { responder_.FinishWithError(ToGrpcStatus(status), static_cast<Tag*>(this)); }

}  // namespace pvebus::bus
