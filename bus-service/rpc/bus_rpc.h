#pragma once

#include "bus-service/core/bus.h"
#include "bus-service/rpc/methods.h"
#include "pvebus/bus/v1/bus_service.grpc.pb.h"

namespace pvebus::bus {

// pvebus.bus.v1.BusService on the core. The loop's thread. Requires: bus and loop outlive this.
class BusRpc {
 public:
  BusRpc(Bus& bus, EventLoop& loop);
  grpc::Service& service() { return service_; }
  void Listen() { methods_.Listen(loop_, 16); }

 private:
  void Publish(UnaryCall& call, v1::PublishRequest& request);
  void BatchPublish(UnaryCall& call, v1::BatchPublishRequest& request);
  void GetPublishResult(UnaryCall& call, v1::GetPublishResultRequest& request);

  Bus& bus_;
  EventLoop& loop_;
  v1::BusService::WithRawMethod_Publish<
      v1::BusService::WithRawMethod_BatchPublish<v1::BusService::WithRawMethod_GetPublishResult<v1::BusService::Service>>>
      service_;
  Methods methods_;
};

}  // namespace pvebus::bus
