#pragma once

#include "bus-service/core/bus.h"
#include "bus-service/rpc/methods.h"
#include "pvebus/bus/v1/registry_service.grpc.pb.h"

namespace pvebus::bus {

// pvebus.bus.v1.RegistryService on the core. The loop's thread. Requires: bus and loop outlive this.
class RegistryRpc {
 public:
  RegistryRpc(Bus& bus, EventLoop& loop);
  grpc::Service& service() { return service_; }
  void Listen() { methods_.Listen(loop_, 1); }

 private:
  template <typename Base>
  using Raw = v1::RegistryService::WithRawMethod_ListListeners<
      v1::RegistryService::WithRawMethod_GetListener<v1::RegistryService::WithRawMethod_PauseListener<
          v1::RegistryService::WithRawMethod_ResumeListener<v1::RegistryService::WithRawMethod_EvictListener<
              v1::RegistryService::WithRawMethod_SeekListener<v1::RegistryService::WithRawMethod_DeleteListener<Base>>>>>>>;

  void ListListeners(UnaryCall& call, const v1::ListListenersRequest& request);
  void GetListener(UnaryCall& call, const v1::GetListenerRequest& request);
  void PauseListener(UnaryCall& call, const v1::PauseListenerRequest& request);
  void ResumeListener(UnaryCall& call, const v1::ResumeListenerRequest& request);
  void EvictListener(UnaryCall& call, const v1::EvictListenerRequest& request);
  void SeekListener(UnaryCall& call, const v1::SeekListenerRequest& request);
  void DeleteListener(UnaryCall& call, const v1::DeleteListenerRequest& request);
  // Answers with the listener in a `Response`, or with the error.
  template <typename Response>
  void ReplyListener(UnaryCall& call, std::string_view name, const absl::StatusOr<ListenerRecord*>& record);

  Bus& bus_;
  EventLoop& loop_;
  Raw<v1::RegistryService::Service> service_;
  Methods methods_;
};

}  // namespace pvebus::bus
