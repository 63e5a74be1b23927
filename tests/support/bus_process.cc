#include "tests/support/bus_process.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "tests/support/messages.h"

namespace pvebus::testing {
namespace {

using bus::v1::BusService;
using bus::v1::RegistryService;

std::vector<std::string> CommandLine(const std::vector<std::string>& flags) {
  const bool durable = std::find(flags.begin(), flags.end(), "--data-dir") != flags.end();
  std::vector<std::string> line = {ProgramPath("bus-service"), durable ? "--journal=sqlite" : "--journal=memory", "--listen",
                                   "127.0.0.1:0"};
  line.insert(line.end(), flags.begin(), flags.end());
  return line;
}

}  // namespace

std::shared_ptr<grpc::Channel> SeparateChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

absl::StatusOr<std::string> CallBytes(grpc::Channel& channel, const std::string& method, const std::string& bytes) {
  const std::shared_ptr<grpc::Channel> borrowed(&channel, [](grpc::Channel*) {});
  grpc::GenericStub stub(borrowed);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kSoon);
  grpc::CompletionQueue queue;
  grpc::Slice slice(bytes);
  grpc::ByteBuffer answer;
  grpc::Status status;
  const auto call = stub.PrepareUnaryCall(&context, method, grpc::ByteBuffer(&slice, 1), &queue);
  call->StartCall();
  call->Finish(&answer, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  if (!status.ok()) return FromGrpcStatus(status);
  grpc::Slice whole;
  if (!answer.DumpToSingleSlice(&whole).ok()) return absl::InternalError("no answer");
  return std::string(reinterpret_cast<const char*>(whole.begin()), whole.size());
}

BusProcess::BusProcess(const std::vector<std::string>& flags) : process_(CommandLine(flags)) {
  auto address = process_.WaitForLine("listening on ", std::chrono::seconds(30));
  if (!address.ok()) {
    std::fprintf(stderr, "bus-service did not start: %s\n", address.status().ToString().c_str());
    std::abort();
  }
  address_ = *std::move(address);
  channel_ = SeparateChannel(address_);
  bus_ = BusService::NewStub(channel_);
  registry_ = RegistryService::NewStub(channel_);
  journal_ = bus::v1::JournalService::NewStub(channel_);
}

absl::StatusOr<bus::v1::PublishResponse> BusProcess::Publish(const bus::v1::PublishRequest& request,
                                                             std::chrono::milliseconds deadline) {
  return Call(&BusService::Stub::Publish, *bus_, request, deadline);
}

absl::StatusOr<bus::v1::PublishResponse> BusProcess::Publish(event::v1::SystemEvent event) {
  return Publish(RequestOf(std::move(event)));
}

std::future<absl::StatusOr<bus::v1::PublishResponse>> BusProcess::PublishLater(bus::v1::PublishRequest request) {
  return std::async(std::launch::async, [this, request = std::move(request)] { return Publish(request); });
}

std::string BusProcess::PublishDurable(event::v1::SystemEvent event) {
  const auto response = Publish(RequestOf(std::move(event), bus::v1::WAIT_POLICY_DURABLE));
  EXPECT_TRUE(response.ok()) << response.status();
  return response.ok() ? response->result().event_id() : "";
}

bus::v1::PublishResult BusProcess::Result(const std::string& event_id, bus::v1::WaitPolicy wait_policy) {
  bus::v1::GetPublishResultRequest request;
  request.set_event_id(event_id);
  request.set_wait_policy(wait_policy);
  const auto response = Call(&BusService::Stub::GetPublishResult, *bus_, request, std::chrono::seconds(20));
  EXPECT_TRUE(response.ok()) << response.status();
  return response.ok() ? response->result() : bus::v1::PublishResult();
}

absl::StatusOr<bus::v1::Listener> BusProcess::GetListener(const std::string& name) {
  bus::v1::GetListenerRequest request;
  request.set_name(name);
  const auto response = Call(&RegistryService::Stub::GetListener, *registry_, request);
  if (!response.ok()) return response.status();
  return response->listener();
}

bool BusProcess::HasState(const std::string& listener, bus::v1::ListenerState state) {
  const auto found = GetListener(listener);
  return found.ok() && found->state() == state;
}

void BusProcess::ExpectAlive() {
  const auto response = Publish(RequestOf(CustomEvent("alive"), bus::v1::WAIT_POLICY_DURABLE), kSoon);
  EXPECT_TRUE(response.ok()) << response.status();
}

}  // namespace pvebus::testing
