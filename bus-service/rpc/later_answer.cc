#include "bus-service/rpc/later_answer.h"

#include <utility>

namespace pvebus::bus {

LaterAnswer::LaterAnswer(UnaryCall& call) : call_(std::make_shared<UnaryCall*>(&call)) {
  // gRPC wants an answer for a caller that has gone too.
  call.OnCancel([answer = *this] { answer.Fail(absl::CancelledError("the caller has left")); });
}

void LaterAnswer::Reply(const google::protobuf::MessageLite& response) const {
  if (UnaryCall* call = std::exchange(*call_, nullptr)) call->Reply(response);
}

void LaterAnswer::Fail(const absl::Status& status) const {
  if (UnaryCall* call = std::exchange(*call_, nullptr)) call->Fail(status);
}

}  // namespace pvebus::bus
