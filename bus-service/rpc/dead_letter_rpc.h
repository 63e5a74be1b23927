#pragma once

#include "bus-service/core/bus.h"
#include "bus-service/rpc/methods.h"
#include "pvebus/bus/v1/dead_letter_service.grpc.pb.h"

namespace pvebus::bus {

// pvebus.bus.v1.DeadLetterService on the core. The loop's thread. Requires: bus and loop outlive this.
class DeadLetterRpc {
 public:
  DeadLetterRpc(Bus& bus, EventLoop& loop);
  grpc::Service& service() { return service_; }
  void Listen() { methods_.Listen(loop_, 1); }

 private:
  template <typename Base>
  using Raw = v1::DeadLetterService::WithRawMethod_ListDeadLetters<v1::DeadLetterService::WithRawMethod_GetDeadLetter<
      v1::DeadLetterService::WithRawMethod_RedriveDeadLetters<v1::DeadLetterService::WithRawMethod_DiscardDeadLetters<Base>>>>;

  void GetDeadLetter(UnaryCall& call, const v1::GetDeadLetterRequest& request);
  void RedriveDeadLetters(UnaryCall& call, const v1::RedriveDeadLettersRequest& request);
  void DiscardDeadLetters(UnaryCall& call, const v1::DiscardDeadLettersRequest& request);

  Bus& bus_;
  EventLoop& loop_;
  Raw<v1::DeadLetterService::Service> service_;
  Methods methods_;
};

}  // namespace pvebus::bus
