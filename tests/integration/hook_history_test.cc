// What the hooks of a service did is on disk before the bus hears of it: it survives kill -9, and nothing is done twice.
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "grpcpp/create_channel.h"
#include "pvebus/container/v1/container_service.grpc.pb.h"
#include "pvebus/migration/v1/migration_service.grpc.pb.h"
#include "tests/support/bus_process.h"
#include "tests/support/messages.h"
#include "tests/support/temporary_directory.h"

namespace pvebus::testing {
namespace {

using container::v1::ContainerService;
using google::protobuf::util::MessageDifferencer;
using migration::v1::MigrationService;
using ::testing::HasSubstr;
using ::testing::Not;

// A bus and one service that keeps its history, killed and started again at will.
class HookHistoryTest : public ::testing::Test {
 protected:
  std::vector<std::string> CommandLine(const std::string& program) const {
    return {ProgramPath(program), "--bus", bus_.address(), "--listen", "127.0.0.1:0", "--node", "node1", "--data-dir",
            data_ + "/" + program};
  }

  void Start(const std::string& program, const std::string& listener) {
    service_ = std::make_unique<Process>(CommandLine(program));
    const auto address = service_->WaitForLine("listening on ", kSoon);
    ASSERT_TRUE(address.ok()) << address.status();
    address_ = *address;
    WaitFor(listener + " to be connected", [&] { return bus_.HasState(listener, bus::v1::LISTENER_STATE_CONNECTED); });
  }
  void KillAndStart(const std::string& program, const std::string& listener) {
    service_->Signal(SIGKILL);
    ASSERT_EQ(service_->WaitExit(kSoon), 128 + SIGKILL);
    WaitFor(listener + " to be gone", [&] { return bus_.HasState(listener, bus::v1::LISTENER_STATE_DISCONNECTED); });
    Start(program, listener);
  }
  template <typename Contract>
  std::unique_ptr<typename Contract::Stub> Stub() const {
    return Contract::NewStub(grpc::CreateChannel(address_, grpc::InsecureChannelCredentials()));
  }
  container::v1::ListHookExecutionsResponse Executions() const {
    return Call(&ContainerService::Stub::ListHookExecutions, *Stub<ContainerService>(), {}).value();
  }
  container::v1::GetHookStatisticsResponse Statistics() const {
    return Call(&ContainerService::Stub::GetHookStatistics, *Stub<ContainerService>(), {}).value();
  }

  TemporaryDirectory directory_;
  const std::string data_ = directory_.path() + "/data";
  BusProcess bus_;
  std::unique_ptr<Process> service_;
  std::string address_;
};

constexpr char kContainer[] = "container-service";
constexpr char kContainerListener[] = "container-network-hooks";
constexpr int kContainerHooks = 4;

TEST_F(HookHistoryTest, HistoryAndStatisticsAreTheSameAfterAKill) {
  Start(kContainer, kContainerListener);
  ASSERT_TRUE(bus_.Publish(ContainerStartedEvent(101)).ok());
  ASSERT_TRUE(bus_.Publish(ContainerStartedEvent(102)).ok());
  const auto executions = Executions();
  const auto statistics = Statistics();
  ASSERT_EQ(executions.executions_size(), 2 * kContainerHooks);

  KillAndStart(kContainer, kContainerListener);

  EXPECT_TRUE(MessageDifferencer::Equals(Executions(), executions)) << Executions().DebugString();
  EXPECT_TRUE(MessageDifferencer::Equals(Statistics(), statistics)) << Statistics().DebugString();
  ASSERT_TRUE(bus_.Publish(ContainerStartedEvent(101)).ok());
  const auto after = Executions();
  ASSERT_EQ(after.executions_size(), 3 * kContainerHooks);
  EXPECT_EQ(after.executions(0).execution_id(), executions.executions(0).execution_id() + kContainerHooks) << "ids go on";
  EXPECT_EQ(after.executions(kContainerHooks - 1).result().message(), "start 2 of container 101") << "counts go on";
}

constexpr char kTwoHooks[] = "two-hooks-service";
constexpr char kTwoHooksListener[] = "two-hooks";

bus::v1::HookResult HookOf(const bus::v1::ListenerResult& row, const std::string& name) {
  for (const auto& hook : row.hook_results()) {
    if (hook.hook() == name) return hook;
  }
  return {};
}

TEST_F(HookHistoryTest, AKillBetweenAFailedHookAndTheRedeliveryRepeatsNothing) {
  Start(kTwoHooks, kTwoHooksListener);
  const auto first = bus_.Publish(CustomEvent("e"));
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(RowOf(first->result(), kTwoHooksListener).error().reason(), "HOOK_FAILED") << first->DebugString();
  const auto executions = Executions();
  const auto statistics = Statistics();
  service_->Signal(SIGKILL);
  ASSERT_EQ(service_->WaitExit(kSoon), 128 + SIGKILL);

  Start(kTwoHooks, kTwoHooksListener);

  const auto row = RowOf(bus_.Result(first->result().event_id(), bus::v1::WAIT_POLICY_SETTLED), kTwoHooksListener);
  EXPECT_EQ(row.state(), bus::v1::DELIVERY_STATE_SUCCEEDED) << row.DebugString();
  EXPECT_EQ(HookOf(row, "steady").state(), bus::v1::HOOK_STATE_SKIPPED) << row.DebugString();
  EXPECT_EQ(HookOf(row, "steady").message(), "attempt 1 has done it");
  EXPECT_EQ(HookOf(row, "flaky").state(), bus::v1::HOOK_STATE_CHANGED) << row.DebugString();
  EXPECT_THAT(service_->StandardOutput(), HasSubstr("called flaky 2 e"));
  EXPECT_THAT(service_->StandardOutput(), Not(HasSubstr("called steady")));
  auto after = Executions();
  ASSERT_EQ(after.executions_size(), 4) << after.DebugString();
  after.mutable_executions()->DeleteSubrange(0, 2);  // those of the second attempt
  EXPECT_TRUE(MessageDifferencer::Equals(after, executions)) << after.DebugString();
  EXPECT_EQ(statistics.statistics(0).succeeded_count(), 1u);
  EXPECT_EQ(Statistics().statistics(0).succeeded_count(), 1u) << "steady";
  EXPECT_EQ(Statistics().statistics(0).skipped_count(), 1u);
  EXPECT_EQ(Statistics().statistics(1).failed_count(), 1u) << "flaky";
  EXPECT_EQ(Statistics().statistics(1).succeeded_count(), 1u);
}

TEST_F(HookHistoryTest, AKillInTheMiddleOfASlowHookDoesNotRepeatTheOneBefore) {
  Start(kTwoHooks, kTwoHooksListener);
  bus_.PublishDurable(CustomEvent("hang"));
  ASSERT_TRUE(service_->WaitForLine("called flaky 1 hang", kSoon).ok());
  WaitFor("the first hook to be in the history", [&] { return Executions().executions_size() == 1; });
  // It is listed a moment before it is on disk: the next one to be recorded waits for that.
  ASSERT_TRUE(bus_.Publish(CustomEvent("other")).ok());

  service_->Signal(SIGKILL);
  ASSERT_EQ(service_->WaitExit(kSoon), 128 + SIGKILL);
  Start(kTwoHooks, kTwoHooksListener);

  WaitFor("the event to come again", [&] { return service_->StandardOutput().find("hang") != std::string::npos; });
  EXPECT_THAT(service_->StandardOutput(), Not(HasSubstr("called steady")));
}

TEST_F(HookHistoryTest, ClearedHistoryStaysClearedAndStatisticsStay) {
  Start(kContainer, kContainerListener);
  ASSERT_TRUE(bus_.Publish(ContainerStartedEvent(101)).ok());
  const auto statistics = Statistics();
  const auto cleared = Call(&ContainerService::Stub::ClearHookExecutions, *Stub<ContainerService>(), {});
  ASSERT_TRUE(cleared.ok()) << cleared.status();
  EXPECT_EQ(cleared->cleared_count(), static_cast<uint64_t>(kContainerHooks));

  KillAndStart(kContainer, kContainerListener);

  EXPECT_EQ(Executions().executions_size(), 0);
  EXPECT_TRUE(MessageDifferencer::Equals(Statistics(), statistics)) << Statistics().DebugString();
}

TEST_F(HookHistoryTest, ASecondServiceOnTheSameDirectoryIsRefused) {
  Start(kContainer, kContainerListener);

  Process second(CommandLine(kContainer));

  EXPECT_EQ(second.WaitExit(kSoon), 1);
  EXPECT_THAT(second.StandardError(), HasSubstr("another process is using the data directory"));
  EXPECT_THAT(second.StandardError(), HasSubstr(data_));
}

TEST_F(HookHistoryTest, OthersCannotReadWhatIsKept) {
  Start(kContainer, kContainerListener);
  ASSERT_TRUE(bus_.Publish(ContainerStartedEvent(101)).ok());

  struct stat directory {};
  ASSERT_EQ(stat((data_ + "/" + kContainer).c_str(), &directory), 0);
  EXPECT_EQ(directory.st_mode & 0777, 0700u);
  for (const auto& file : std::filesystem::directory_iterator(data_ + "/" + kContainer)) {
    struct stat status {};
    ASSERT_EQ(stat(file.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, file.is_directory() ? 0700u : 0600u) << file.path();
  }
}

TEST_F(HookHistoryTest, AFileThatIsNoHistoryIsNamedAtTheStart) {
  std::filesystem::create_directories(data_ + "/" + kContainer);
  std::ofstream(data_ + "/" + kContainer + "/hooks.db") << std::string(10'000, 'x');

  Process service(CommandLine(kContainer));

  EXPECT_EQ(service.WaitExit(kSoon), 1);
  EXPECT_THAT(service.StandardError(), HasSubstr("hooks.db"));
  EXPECT_THAT(service.StandardError(), HasSubstr("move it"));
}

// A seek back is the plainest redelivery there is: the bus sends again what was acknowledged.
TEST_F(HookHistoryTest, WhatIsDeliveredAgainToANewProcessCountsOnce) {
  Start("migration-service", "migration-hooks");
  event::v1::SystemEvent network;
  network.mutable_network_applied()->add_changes()->set_change_type(event::v1::CHANGE_TYPE_UPDATE);
  network.mutable_network_applied()->mutable_changes(0)->set_target("vmbr0");
  ASSERT_TRUE(bus_.Publish(network).ok());
  ASSERT_TRUE(bus_.Publish(network).ok());
  KillAndStart("migration-service", "migration-hooks");

  bus::v1::SeekListenerRequest seek;
  seek.set_name("migration-hooks");
  seek.mutable_position()->set_earliest(true);
  const auto response = Call(&bus::v1::RegistryService::Stub::SeekListener, bus_.registry(), seek);
  ASSERT_TRUE(response.ok()) << response.status();
  migration::v1::ListHookExecutionsRequest skipped;
  skipped.set_state(bus::v1::HOOK_STATE_SKIPPED);
  skipped.set_hook("applied-counter");
  WaitFor("both events to have come again", [&] {
    const auto list = Call(&MigrationService::Stub::ListHookExecutions, *Stub<MigrationService>(), skipped);
    return list.ok() && list->executions_size() == 2;
  });

  const auto status = Call(&MigrationService::Stub::GetMigrationStatus, *Stub<MigrationService>(), {}).value();
  EXPECT_EQ(status.applied_transaction_count(), 2u);
  KillAndStart("migration-service", "migration-hooks");
  EXPECT_EQ(Call(&MigrationService::Stub::GetMigrationStatus, *Stub<MigrationService>(), {})->applied_transaction_count(), 2u);
}

TEST_F(HookHistoryTest, PhaseAndTransactionsSurviveAKillAndCountNothingTwice) {
  Start("migration-service", "migration-hooks");
  event::v1::SystemEvent phase;
  phase.mutable_migration_phase_changed()->set_phase(event::v1::MIGRATION_PHASE_RUST_READ_ONLY);
  event::v1::SystemEvent network;
  network.mutable_network_applied()->add_changes()->set_change_type(event::v1::CHANGE_TYPE_UPDATE);
  network.mutable_network_applied()->mutable_changes(0)->set_target("vmbr0");
  ASSERT_TRUE(bus_.Publish(phase).ok());
  ASSERT_TRUE(bus_.Publish(network).ok());
  const auto status = Call(&MigrationService::Stub::GetMigrationStatus, *Stub<MigrationService>(), {}).value();
  EXPECT_EQ(status.applied_transaction_count(), 1u);

  KillAndStart("migration-service", "migration-hooks");

  const auto after = Call(&MigrationService::Stub::GetMigrationStatus, *Stub<MigrationService>(), {}).value();
  EXPECT_TRUE(MessageDifferencer::Equals(after, status)) << after.DebugString();
  ASSERT_TRUE(bus_.Publish(network).ok());
  EXPECT_EQ(Call(&MigrationService::Stub::GetMigrationStatus, *Stub<MigrationService>(), {})->applied_transaction_count(), 2u);
}

}  // namespace
}  // namespace pvebus::testing
