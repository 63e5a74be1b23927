// The bus and its hook services together, each its own process, as on a node.
#include <signal.h>

#include "gmock/gmock.h"
#include "grpcpp/create_channel.h"
#include "gtest/gtest.h"
#include "pvebus/container/v1/container_service.grpc.pb.h"
#include "pvebus/migration/v1/migration_service.grpc.pb.h"
#include "tests/support/bus_process.h"
#include "tests/support/messages.h"
#include "tests/support/temporary_directory.h"

namespace pvebus::testing {
namespace {

using std::chrono::seconds;

class ServicesTest : public ::testing::Test {
 protected:
  struct Service {
    std::unique_ptr<Process> process;
    std::string address;
  };

  ServicesTest()
      : container_(Start("container-service")), storage_(Start("storage-service")), migration_(Start("migration-service")) {
    for (const char* name : {"container-network-hooks", "storage-hooks", "migration-hooks"}) WaitConnected(name);
  }

  Service Start(const std::string& name) {
    Service service;
    service.process =
        std::make_unique<Process>(std::vector<std::string>{ProgramPath(name), "--bus", bus_.address(), "--listen", "127.0.0.1:0",
                                                           "--node", "node1", "--data-dir", directory_.path() + "/" + name});
    const auto address = service.process->WaitForLine("listening on ", kSoon);
    EXPECT_TRUE(address.ok()) << address.status();
    service.address = address.value_or("");
    return service;
  }
  void WaitConnected(const std::string& listener) {
    WaitFor(listener + " to be connected", [&] { return bus_.HasState(listener, bus::v1::LISTENER_STATE_CONNECTED); });
  }
  template <typename Contract>
  static std::unique_ptr<typename Contract::Stub> StubOf(const Service& service) {
    return Contract::NewStub(grpc::CreateChannel(service.address, grpc::InsecureChannelCredentials()));
  }

  TemporaryDirectory directory_;
  BusProcess bus_;
  Service container_;
  Service storage_;
  Service migration_;
};

TEST_F(ServicesTest, EveryKindOfEventComesBackWithARowOfEachServiceAndWhatItsHooksDid) {
  std::vector<event::v1::SystemEvent> events(3);
  auto& change = *events[0].mutable_network_applied()->add_changes();
  change.set_change_type(event::v1::CHANGE_TYPE_CREATE);
  change.set_target("vmbr1");
  events[1].mutable_storage_vlan_created()->set_id("nas");
  events[2].mutable_migration_phase_changed()->set_phase(event::v1::MIGRATION_PHASE_RUST_READ_ONLY);
  events.push_back(ContainerStartedEvent(101));
  events.push_back(CustomEvent("backup-finished"));

  for (const auto& event : events) {
    const auto response = bus_.Publish(event);
    ASSERT_TRUE(response.ok()) << response.status();
    const auto& result = response->result();
    EXPECT_EQ(result.outcome(), bus::v1::PUBLISH_OUTCOME_SUCCEEDED) << result.DebugString();
    ASSERT_EQ(result.listener_results_size(), 3);
    EXPECT_EQ(result.listener_results(0).listener(), "container-network-hooks");
    EXPECT_EQ(result.listener_results(1).listener(), "migration-hooks");
    EXPECT_EQ(result.listener_results(2).listener(), "storage-hooks");
    for (const auto& row : result.listener_results()) {
      ASSERT_GE(row.hook_results_size(), 1) << row.DebugString();
      EXPECT_THAT(row.hook_results(0).hook(), ::testing::HasSubstr("event-logger"));
    }
  }
}

TEST_F(ServicesTest, AServiceKeepsWhatItsEventsMean) {
  event::v1::SystemEvent phase;
  phase.mutable_migration_phase_changed()->set_phase(event::v1::MIGRATION_PHASE_RUST_READ_ONLY);
  event::v1::SystemEvent network;
  network.mutable_network_applied()->add_changes()->set_change_type(event::v1::CHANGE_TYPE_UPDATE);
  network.mutable_network_applied()->mutable_changes(0)->set_target("vmbr0");

  ASSERT_TRUE(bus_.Publish(phase).ok());
  ASSERT_TRUE(bus_.Publish(network).ok());
  ASSERT_TRUE(bus_.Publish(ContainerStartedEvent(101)).ok());
  ASSERT_TRUE(bus_.Publish(ContainerStartedEvent(102)).ok());

  const auto migration = StubOf<migration::v1::MigrationService>(migration_);
  const auto status = Call(&migration::v1::MigrationService::Stub::GetMigrationStatus, *migration, {});
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->phase(), event::v1::MIGRATION_PHASE_RUST_READ_ONLY);
  EXPECT_EQ(status->applied_transaction_count(), 1u);
  const auto container = StubOf<container::v1::ContainerService>(container_);
  container::v1::ListHookExecutionsRequest of_one;
  of_one.set_container_id(101);
  const auto executions = Call(&container::v1::ContainerService::Stub::ListHookExecutions, *container, of_one);
  ASSERT_TRUE(executions.ok()) << executions.status();
  ASSERT_EQ(executions->executions_size(), 4);  // one per hook
  for (const auto& execution : executions->executions()) EXPECT_EQ(execution.resource(), "container/101");
}

TEST_F(ServicesTest, WhatAKilledServiceMissedItGetsWhenItIsBack) {
  storage_.process->Signal(SIGKILL);
  storage_.process->WaitExit(kSoon);
  WaitFor("storage-hooks to be gone", [&] { return bus_.HasState("storage-hooks", bus::v1::LISTENER_STATE_DISCONNECTED); });
  const auto response = bus_.Publish(CustomEvent("missed"));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(RowOf(response->result(), "storage-hooks").state(), bus::v1::DELIVERY_STATE_OFFLINE);
  EXPECT_EQ(response->result().outcome(), bus::v1::PUBLISH_OUTCOME_PENDING);

  storage_ = Start("storage-service");

  const auto result = bus_.Result(response->result().event_id(), bus::v1::WAIT_POLICY_SETTLED);
  EXPECT_EQ(RowOf(result, "storage-hooks").state(), bus::v1::DELIVERY_STATE_SUCCEEDED);
}

TEST_F(ServicesTest, AStoppedServiceLeavesProperly) {
  for (auto* service : {&container_, &storage_, &migration_}) {
    service->process->Signal(SIGTERM);
    EXPECT_EQ(service->process->WaitExit(seconds(20)), 0) << service->process->StandardError();
  }

  const auto response = bus_.Publish(CustomEvent("alone"));

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->result().pending_count(), 3u) << "they are expected back";
}

TEST_F(ServicesTest, ARestartedServiceTakesItsNameAtOnce) {
  container_.process->Signal(SIGKILL);
  container_.process->WaitExit(kSoon);

  // The same instance, whatever the bus still believes of the old one.
  container_ = Start("container-service");

  WaitConnected("container-network-hooks");
  EXPECT_EQ(bus_.Publish(CustomEvent("x"))->result().outcome(), bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
}

TEST(BusRestartTest, ServicesComeBackToABusThatWasKilled) {
  auto bus = std::make_unique<BusProcess>();
  const std::string address = bus->address();
  const TemporaryDirectory directory;
  Process service({ProgramPath("migration-service"), "--bus", address, "--listen", "127.0.0.1:0", "--history", "memory",
                   "--data-dir", directory.path()});
  WaitFor("migration-hooks to be connected", [&] { return bus->HasState("migration-hooks", bus::v1::LISTENER_STATE_CONNECTED); });
  bus->process().Signal(SIGKILL);
  bus->process().WaitExit(kSoon);

  bus = std::make_unique<BusProcess>(std::vector<std::string>{"--listen", address});

  WaitFor("migration-hooks to be back", [&] { return bus->HasState("migration-hooks", bus::v1::LISTENER_STATE_CONNECTED); });
  EXPECT_EQ(bus->Publish(CustomEvent("x"))->result().outcome(), bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
}

}  // namespace
}  // namespace pvebus::testing
