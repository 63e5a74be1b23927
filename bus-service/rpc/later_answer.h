#pragma once

#include <memory>

#include "bus-service/rpc/unary_call.h"

namespace pvebus::bus {

// The answer of a call that somebody gives later, and who may find the caller gone: then it says nothing. Copies are the same
// answer, and it is given once. The loop's thread.
class LaterAnswer {
 public:
  // Requires: the call has not been answered, and nobody else answers it.
  explicit LaterAnswer(UnaryCall& call);

  // The caller has gone or been answered: work for it is in vain.
  bool over() const { return *call_ == nullptr; }
  void Reply(const google::protobuf::MessageLite& response) const;
  void Fail(const absl::Status& status) const;

 private:
  const std::shared_ptr<UnaryCall*> call_;
};

}  // namespace pvebus::bus
