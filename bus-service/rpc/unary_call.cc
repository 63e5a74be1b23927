#include "bus-service/rpc/unary_call.h"

#include <utility>

#include "bus-service/rpc/wire.h"
#include "sdk/status/status.h"

namespace pvebus::bus {

UnaryCall::UnaryCall(const Method& method, EventLoop& loop) : method_(method), loop_(loop) {}

void UnaryCall::Listen(const Method& method, EventLoop& loop) {
  auto* call = new UnaryCall(method, loop);
  call->context_.AsyncNotifyWhenDone(static_cast<Tag*>(&call->gone_tag_));
  method.request_call(&call->context_, &call->request_, &call->responder_, static_cast<Tag*>(call));
}

void UnaryCall::Proceed(bool ok) {
  if (!arrived_ && !ok) {  // the server is shutting down; for a call that never began nothing else comes
    delete this;
    return;
  }
  if (arrived_ || loop_.stopping()) {
    finished_ = true;
    return DeleteWhenDone();
  }
  arrived_ = true;
  Listen(method_, loop_);
  method_.handle(*this);
}

void UnaryCall::Left() {
  gone_ = true;
  if (const auto leave = std::exchange(leave_, nullptr)) leave();
  DeleteWhenDone();
}

void UnaryCall::DeleteWhenDone() {
  if (finished_ && gone_) delete this;
}

void UnaryCall::OnCancel(std::function<void()> leave) {
  if (replied_) return;
  if (gone_) return leave();
  leave_ = std::move(leave);
}

bool UnaryCall::Parse(google::protobuf::Message& request) {
  const absl::Status status = ParseMessage(request_, request);
  request_.Clear();  // the answer may take long
  if (!status.ok()) Fail(status);
  return status.ok();
}

bool UnaryCall::BeginAnswer() {
  replied_ = true;
  leave_ = nullptr;
  if (!loop_.stopping()) return true;
  finished_ = true;  // the queue takes nothing any more
  return false;
}

void UnaryCall::Reply(const google::protobuf::MessageLite& response) {
  if (BeginAnswer()) responder_.Finish(SerializeMessage(response), grpc::Status::OK, static_cast<Tag*>(this));
}

void UnaryCall::Reply(const std::string& response) {
  const grpc::Slice slice(response);
  if (BeginAnswer()) responder_.Finish(grpc::ByteBuffer(&slice, 1), grpc::Status::OK, static_cast<Tag*>(this));
}

void UnaryCall::Fail(const absl::Status& status) {
  if (BeginAnswer()) responder_.FinishWithError(ToGrpcStatus(status), static_cast<Tag*>(this));
}

}  // namespace pvebus::bus
