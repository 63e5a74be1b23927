#include "tests/bench/floor_listener.h"

#include <cstdio>

#include "grpcpp/grpcpp.h"
#include "pvebus/bus/v1/listener_service.grpc.pb.h"

namespace pvebus::bench {

void RunFloorListener(const std::string& address, const std::string& name) {
  const auto stub = bus::v1::ListenerService::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  const auto stream = stub->Listen(&context);
  bus::v1::ListenRequest registration;
  registration.mutable_registration()->set_listener(name);
  registration.mutable_registration()->set_max_in_flight(1000);
  registration.mutable_registration()->mutable_lease_duration()->set_seconds(3600);
  stream->Write(registration);
  for (bus::v1::ListenResponse response; stream->Read(&response);) {
    if (response.has_registered()) {
      std::printf("registered\n");
      std::fflush(stdout);
    }
    if (!response.has_deliveries()) continue;
    bus::v1::ListenRequest answer;
    for (const auto& delivery : response.deliveries().deliveries()) {
      auto& settlement = *answer.mutable_settlements()->add_settlements();
      settlement.set_delivery_id(delivery.delivery_id());
      settlement.mutable_acknowledgement();
    }
    stream->Write(answer);
  }
  stream->Finish();
}

}  // namespace pvebus::bench
