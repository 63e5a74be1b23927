#pragma once

#include <memory>
#include <string>

#include "grpcpp/server.h"
#include "pvebus/bus/v1/bus_service.grpc.pb.h"
#include "pvebus/bus/v1/journal_service.grpc.pb.h"
#include "pvebus/bus/v1/registry_service.grpc.pb.h"

namespace pvebus::cli {

// A server in the test's own process that remembers what it was asked and answers what the test wants. The test changes it
// only between calls.
class FakeBus final : public bus::v1::BusService::Service, public bus::v1::JournalService::Service {
 public:
  FakeBus();
  ~FakeBus() override;
  const std::string& address() const { return address_; }

  bus::v1::PublishRequest published;
  bus::v1::PublishResponse publish_response;
  bus::v1::GetPublishResultRequest asked;
  bus::v1::WatchEventsRequest watched;
  std::vector<event::v1::SystemEvent> events;
  // What every call ends with.
  grpc::Status status;

  // The registry has `listener_count` listeners, and gives them out two a page.
  int listener_count = 0;
  bus::v1::SeekListenerRequest sought;

 private:
  class Registry;

  grpc::Status Publish(grpc::ServerContext*, const bus::v1::PublishRequest* request, bus::v1::PublishResponse* response) override;
  grpc::Status GetPublishResult(grpc::ServerContext*, const bus::v1::GetPublishResultRequest* request,
                                bus::v1::GetPublishResultResponse* response) override;
  grpc::Status WatchEvents(grpc::ServerContext*, const bus::v1::WatchEventsRequest* request,
                           grpc::ServerWriter<bus::v1::WatchEventsResponse>* writer) override;
  grpc::Status GetJournalStatus(grpc::ServerContext*, const bus::v1::GetJournalStatusRequest*,
                                bus::v1::GetJournalStatusResponse* response) override;

  std::unique_ptr<Registry> registry_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace pvebus::cli
