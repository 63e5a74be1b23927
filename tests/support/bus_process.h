#pragma once

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "pvebus/bus/v1/bus_service.grpc.pb.h"
#include "pvebus/bus/v1/journal_service.grpc.pb.h"
#include "pvebus/bus/v1/registry_service.grpc.pb.h"
#include "sdk/status/status.h"
#include "tests/support/process.h"
#include "tests/support/wait.h"

namespace pvebus::testing {

// A channel with a connection of its own, as another process would have.
std::shared_ptr<grpc::Channel> SeparateChannel(const std::string& address);

// The real bus-service on a free loopback port, its journal in memory unless the flags name a --data-dir. Any thread may call it.
class BusProcess {
 public:
  // Requires: bus-service is built. Aborts the test program when the bus does not start.
  explicit BusProcess(const std::vector<std::string>& flags = {});

  Process& process() { return process_; }
  const std::string& address() const { return address_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  absl::StatusOr<bus::v1::PublishResponse> Publish(const bus::v1::PublishRequest& request,
                                                   std::chrono::milliseconds deadline = std::chrono::seconds(35));
  absl::StatusOr<bus::v1::PublishResponse> Publish(event::v1::SystemEvent event);
  // On a thread of its own; the future's destructor waits for it.
  std::future<absl::StatusOr<bus::v1::PublishResponse>> PublishLater(bus::v1::PublishRequest request);
  // Journals the event without waiting for anybody; its id.
  std::string PublishDurable(event::v1::SystemEvent event);
  // As the publish stands now, or once `wait_policy` is satisfied.
  bus::v1::PublishResult Result(const std::string& event_id, bus::v1::WaitPolicy wait_policy = bus::v1::WAIT_POLICY_UNSPECIFIED);

  absl::StatusOr<bus::v1::Listener> GetListener(const std::string& name);
  bool HasState(const std::string& listener, bus::v1::ListenerState state);
  // A publish that must work: nobody was disturbed by what went before.
  void ExpectAlive();

  bus::v1::BusService::Stub& bus() { return *bus_; }
  bus::v1::RegistryService::Stub& registry() { return *registry_; }
  bus::v1::JournalService::Stub& journal() { return *journal_; }

 private:
  Process process_;
  std::string address_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<bus::v1::BusService::Stub> bus_;
  std::unique_ptr<bus::v1::RegistryService::Stub> registry_;
  std::unique_ptr<bus::v1::JournalService::Stub> journal_;
};

// A unary call of bytes to a method like "/pvebus.bus.v1.BusService/Publish": what no message of ours would say, and services
// whose contract we have no code for.
absl::StatusOr<std::string> CallBytes(grpc::Channel& channel, const std::string& method, const std::string& bytes);

// One unary call with a deadline: Call(&Stub::GetListener, stub, request) -> StatusOr<response>.
template <typename Stub, typename Request, typename Response>
absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*), Stub& stub,
                              const std::type_identity_t<Request>& request, std::chrono::milliseconds deadline = kSoon) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + deadline);
  Response response;
  if (auto status = FromGrpcStatus((stub.*method)(&context, request, &response)); !status.ok()) return status;
  return response;
}

}  // namespace pvebus::testing
