#include "sdk/hook_service/hook_service.h"

#include <future>

#include "gmock/gmock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/create_channel.h"
#include "gtest/gtest.h"
#include "pvebus/bus/v1/registry_service.grpc.pb.h"
#include "sdk/base/error.h"
#include "sdk/hook_service/fake_bus.h"

namespace pvebus::hook_service {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kRpcName[] = "pvebus.test.v1.TestService";

// The health of the server at `address`, as it changes.
class HealthWatch {
 public:
  HealthWatch(const std::string& address, const std::string& service)
      : stub_(grpc::health::v1::Health::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()))) {
    context_.set_deadline(std::chrono::system_clock::now() + seconds(20));
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(service);
    reader_ = stub_->Watch(&context_, request);
  }
  ~HealthWatch() {
    context_.TryCancel();
    reader_->Finish();
  }

  // False when it did not become so before the deadline.
  bool WaitFor(grpc::health::v1::HealthCheckResponse::ServingStatus status) {
    grpc::health::v1::HealthCheckResponse response;
    while (reader_->Read(&response)) {
      if (response.status() == status) return true;
    }
    return false;
  }

 private:
  std::unique_ptr<grpc::health::v1::Health::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<grpc::health::v1::HealthCheckResponse>> reader_;
};

constexpr auto kServing = grpc::health::v1::HealthCheckResponse::SERVING;
constexpr auto kNotServing = grpc::health::v1::HealthCheckResponse::NOT_SERVING;

class HookServiceTest : public testing::Test {
 protected:
  std::unique_ptr<HookService> MakeService(const std::string& bus, const std::string& listen = "127.0.0.1:0") {
    service::ServiceOptions service_options;
    service_options.listen = {listen};
    service::HookServiceOptions hook_options;
    hook_options.bus = bus;
    hook_options.node = "pve1";
    return std::make_unique<HookService>(Identity{"test-service", "test-hooks", kRpcName}, service_options, hook_options, logger_,
                                         clock_);
  }

  static void AddHook(HookService& service, const std::string& name, bus::v1::HookState state) {
    const absl::Status status = service.chain().Add({.name = name, .run = [state](const client::EventContext&, std::stop_token) {
                                                       return hooks::HookOutcome{.state = state, .message = "as told"};
                                                     }});
    EXPECT_TRUE(status.ok()) << status;
  }

  static bus::v1::Delivery ContainerStarted(uint64_t delivery_id) {
    bus::v1::Delivery delivery;
    delivery.set_delivery_id(delivery_id);
    delivery.set_attempt(1);
    delivery.mutable_event()->set_event_id("e" + std::to_string(delivery_id));
    delivery.mutable_event()->set_ordering_key("container/101");
    delivery.mutable_event()->mutable_container_started()->set_id(101);
    return delivery;
  }

  RealClock clock_;
  NullLogger logger_;
  bus::v1::RegistryService::Service rpc_;  // any will do
};

TEST_F(HookServiceTest, RegistersUnderTheInstanceThatARestartHasToo) {
  FakeBus bus;
  const auto service = MakeService(bus.address());
  ASSERT_TRUE(service->Start(rpc_).ok());

  const auto registration = bus.WaitRegistered();

  ASSERT_TRUE(registration.has_value()) << "waited 10 s for the registration";
  EXPECT_EQ(registration->listener(), "test-hooks");
  EXPECT_EQ(registration->instance_id(), "test-service@pve1");
  EXPECT_EQ(registration->node(), "pve1");
  EXPECT_EQ(registration->conflict_policy(), bus::v1::CONFLICT_POLICY_TAKEOVER_SAME_INSTANCE);
}

TEST_F(HookServiceTest, EventIsAcknowledgedWithWhatEachHookDid) {
  FakeBus bus;
  const auto service = MakeService(bus.address());
  AddHook(*service, "a", bus::v1::HOOK_STATE_CHANGED);
  AddHook(*service, "b", bus::v1::HOOK_STATE_UNCHANGED);
  ASSERT_TRUE(service->Start(rpc_).ok());
  ASSERT_TRUE(bus.WaitRegistered().has_value()) << "waited 10 s for the registration";

  const auto settlement = bus.Deliver(ContainerStarted(7));

  ASSERT_TRUE(settlement.has_value()) << "waited 10 s for the answer";
  EXPECT_EQ(settlement->delivery_id(), 7u);
  ASSERT_EQ(settlement->acknowledgement().hook_results_size(), 2);
  EXPECT_EQ(settlement->acknowledgement().hook_results(0).hook(), "a");
  EXPECT_EQ(service->chain().Executions({.resource = "container/101"}).size(), 2u);
}

TEST_F(HookServiceTest, EventIsRejectedForAnotherAttemptWhenAHookFailed) {
  FakeBus bus;
  const auto service = MakeService(bus.address());
  AddHook(*service, "broken", bus::v1::HOOK_STATE_FAILED);
  AddHook(*service, "fine", bus::v1::HOOK_STATE_CHANGED);
  ASSERT_TRUE(service->Start(rpc_).ok());
  ASSERT_TRUE(bus.WaitRegistered().has_value()) << "waited 10 s for the registration";

  const auto settlement = bus.Deliver(ContainerStarted(7));

  ASSERT_TRUE(settlement.has_value()) << "waited 10 s for the answer";
  EXPECT_EQ(settlement->rejection().mode(), bus::v1::REJECT_MODE_RETRY);
  EXPECT_EQ(settlement->rejection().error().reason(), "HOOK_FAILED");
  EXPECT_THAT(settlement->rejection().error().message(), HasSubstr("broken: as told"));
  EXPECT_EQ(settlement->rejection().hook_results_size(), 2);
}

TEST_F(HookServiceTest, EventThatAHookRefusesBecomesADeadLetter) {
  FakeBus bus;
  const auto service = MakeService(bus.address());
  const auto refuse = [](const client::EventContext&, std::stop_token) {
    return hooks::HookOutcome{.state = bus::v1::HOOK_STATE_FAILED, .message = "not from there", .refusal = "PHASE_JUMP"};
  };
  ASSERT_TRUE(service->chain().Add({.name = "strict", .run = refuse}).ok());
  AddHook(*service, "fine", bus::v1::HOOK_STATE_CHANGED);
  ASSERT_TRUE(service->Start(rpc_).ok());
  ASSERT_TRUE(bus.WaitRegistered().has_value()) << "waited 10 s for the registration";

  const auto settlement = bus.Deliver(ContainerStarted(7));

  ASSERT_TRUE(settlement.has_value()) << "waited 10 s for the answer";
  EXPECT_EQ(settlement->rejection().mode(), bus::v1::REJECT_MODE_DEAD_LETTER);
  EXPECT_EQ(settlement->rejection().error().reason(), "PHASE_JUMP");
  EXPECT_FALSE(settlement->rejection().error().retryable());
  EXPECT_EQ(settlement->rejection().hook_results_size(), 2);
}

TEST_F(HookServiceTest, IsHealthyOnlyWhileItHoldsItsName) {
  auto bus = std::make_unique<FakeBus>();
  const std::string bus_address = bus->address();
  const auto service = MakeService(bus_address);
  bus.reset();  // away at first
  ASSERT_TRUE(service->Start(rpc_).ok());
  HealthWatch process(service->Addresses().at(0), "");
  HealthWatch health(service->Addresses().at(0), kRpcName);

  EXPECT_TRUE(process.WaitFor(kServing));
  EXPECT_TRUE(health.WaitFor(kNotServing)) << "before the bus is there";
  bus = std::make_unique<FakeBus>(bus_address);
  EXPECT_TRUE(health.WaitFor(kServing)) << "registered";
  bus.reset();
  EXPECT_TRUE(health.WaitFor(kNotServing)) << "the bus went away";
}

TEST_F(HookServiceTest, EndsWhenTheBusRefusesItForGood) {
  FakeBus bus("127.0.0.1:0", grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no such name"));
  const auto service = MakeService(bus.address());
  ASSERT_TRUE(service->Start(rpc_).ok());

  auto end = std::async(std::launch::async, [&] { return service->WaitForEnd(); });

  ASSERT_EQ(end.wait_for(seconds(10)), std::future_status::ready) << "waited 10 s for the service to give up";
  EXPECT_EQ(end.get().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(HookServiceTest, StopOnRequestDrainsAndLeaves) {
  FakeBus bus;
  const auto service = MakeService(bus.address());
  ASSERT_TRUE(service->Start(rpc_).ok());
  // The bus knows of the registration before the service does, and who is not registered has nothing to drain.
  ASSERT_TRUE(HealthWatch(service->Addresses().at(0), kRpcName).WaitFor(kServing)) << "waited 20 s for the registration";

  service->RequestStop("SIGTERM");

  EXPECT_TRUE(service->WaitForEnd().ok());
  EXPECT_THAT(service->Stop(seconds(10)), IsEmpty());
  EXPECT_TRUE(bus.WaitDrained()) << "waited 10 s for the drain";
}

TEST_F(HookServiceTest, StopNamesHooksThatNeverReturn) {
  FakeBus bus;
  const auto service = MakeService(bus.address());
  std::promise<void> release;
  ASSERT_TRUE(service->chain()
                  .Add({.name = "hangs",
                        .time_limit = std::chrono::milliseconds(20),
                        .run =
                            [future = release.get_future().share()](const client::EventContext&, std::stop_token) {
                              future.wait_for(seconds(20));
                              return hooks::HookOutcome{};
                            }})
                  .ok());
  ASSERT_TRUE(service->Start(rpc_).ok());
  ASSERT_TRUE(bus.WaitRegistered().has_value()) << "waited 10 s for the registration";
  const auto settlement = bus.Deliver(ContainerStarted(1));
  ASSERT_TRUE(settlement.has_value()) << "waited 10 s for the answer";
  EXPECT_EQ(settlement->rejection().error().reason(), "HOOK_FAILED");

  EXPECT_THAT(service->Stop(std::chrono::milliseconds(50)), testing::ElementsAre("hangs"));
  release.set_value();
}

TEST_F(HookServiceTest, AddressInUseIsSaidAtTheStart) {
  FakeBus bus;
  const auto first = MakeService(bus.address());
  ASSERT_TRUE(first->Start(rpc_).ok());
  const auto second = MakeService(bus.address(), first->Addresses().at(0));
  bus::v1::RegistryService::Service other;

  EXPECT_EQ(ErrorReason(second->Start(other)), "ADDRESS_IN_USE");
}

}  // namespace
}  // namespace pvebus::hook_service
