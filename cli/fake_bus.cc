#include "cli/fake_bus.h"

#include <algorithm>

#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"

namespace pvebus::cli {

class FakeBus::Registry final : public bus::v1::RegistryService::Service {
 public:
  explicit Registry(FakeBus& bus) : bus_(bus) {}

 private:
  grpc::Status ListListeners(grpc::ServerContext*, const bus::v1::ListListenersRequest* request,
                             bus::v1::ListListenersResponse* response) override {
    const int first = request->page_token().empty() ? 0 : std::stoi(request->page_token());
    const int end = std::min(first + 2, bus_.listener_count);
    for (int i = first; i < end; ++i) response->add_listeners()->set_name("listener-" + std::to_string(i));
    if (end < bus_.listener_count) response->set_next_page_token(std::to_string(end));
    return bus_.status;
  }
  grpc::Status SeekListener(grpc::ServerContext*, const bus::v1::SeekListenerRequest* request,
                            bus::v1::SeekListenerResponse* response) override {
    bus_.sought = *request;
    response->mutable_listener()->set_name(request->name());
    response->set_next_sequence(5);
    response->set_skipped_count(2);
    return bus_.status;
  }

  FakeBus& bus_;
};

FakeBus::FakeBus() : registry_(std::make_unique<Registry>(*this)) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(static_cast<bus::v1::BusService::Service*>(this));
  builder.RegisterService(static_cast<bus::v1::JournalService::Service*>(this));
  builder.RegisterService(registry_.get());
  server_ = builder.BuildAndStart();
  server_->GetHealthCheckService()->SetServingStatus("pvebus.bus.v1.BusService", true);
  address_ = "127.0.0.1:" + std::to_string(port);
}

FakeBus::~FakeBus() { server_->Shutdown(); }

grpc::Status FakeBus::Publish(grpc::ServerContext*, const bus::v1::PublishRequest* request, bus::v1::PublishResponse* response) {
  published = *request;
  *response = publish_response;
  return status;
}

grpc::Status FakeBus::GetPublishResult(grpc::ServerContext*, const bus::v1::GetPublishResultRequest* request,
                                       bus::v1::GetPublishResultResponse* response) {
  asked = *request;
  *response->mutable_result() = publish_response.result();
  return status;
}

grpc::Status FakeBus::WatchEvents(grpc::ServerContext*, const bus::v1::WatchEventsRequest* request,
                                  grpc::ServerWriter<bus::v1::WatchEventsResponse>* writer) {
  watched = *request;
  bus::v1::WatchEventsResponse response;
  for (const event::v1::SystemEvent& event : events) {
    *response.mutable_event() = event;
    writer->Write(response);
  }
  return status;
}

grpc::Status FakeBus::GetJournalStatus(grpc::ServerContext*, const bus::v1::GetJournalStatusRequest*,
                                       bus::v1::GetJournalStatusResponse* response) {
  response->set_kind(bus::v1::JOURNAL_KIND_MEMORY);
  response->set_event_count(3);
  response->set_last_sequence(3);
  return status;
}

}  // namespace pvebus::cli
