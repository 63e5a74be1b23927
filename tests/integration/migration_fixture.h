#pragma once

#include <signal.h>

#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pvebus/migration/v1/migration_service.grpc.pb.h"
#include "tests/support/bus_process.h"
#include "tests/support/messages.h"
#include "tests/support/temporary_directory.h"

namespace pvebus::testing {

inline constexpr const char* kMigrationHooks = "migration-hooks";

inline event::v1::SystemEvent NetworkAppliedEvent(const std::string& target) {
  event::v1::SystemEvent event;
  auto& change = *event.mutable_network_applied()->add_changes();
  change.set_change_type(event::v1::CHANGE_TYPE_UPDATE);
  change.set_target(target);
  return event;
}
inline event::v1::SystemEvent PhaseEvent(event::v1::MigrationPhase phase) {
  event::v1::SystemEvent event;
  event.mutable_migration_phase_changed()->set_phase(phase);
  return event;
}

// The real migration-service, its data in a folder of the test, and the real bus.
class MigrationFixture : public ::testing::Test {
 protected:
  using Stub = migration::v1::MigrationService::Stub;
  using Status = migration::v1::GetMigrationStatusResponse;
  struct Ended {
    std::optional<int> exit_code;
    std::string out, err;
  };

  std::vector<std::string> CommandLine(const std::vector<std::string>& flags) const {
    std::vector<std::string> line = {ProgramPath("migration-service"),
                                     "--bus",
                                     bus_->address(),
                                     "--listen",
                                     "127.0.0.1:0",
                                     "--node",
                                     "node1",
                                     "--data-dir",
                                     In("data")};
    line.insert(line.end(), flags.begin(), flags.end());
    return line;
  }
  // What an earlier one left is taken up; the bus knows of it when this returns.
  void Start(const std::vector<std::string>& flags = {}) {
    flags_ = flags;
    service_ = std::make_unique<Process>(CommandLine(flags));
    const auto address = service_->WaitForLine("listening on ", kPatience);
    ASSERT_TRUE(address.ok()) << address.status();
    address_ = *address;
    stub_ = migration::v1::MigrationService::NewStub(SeparateChannel(address_));
    WaitFor(
        "migration-hooks to be connected", [&] { return bus_->HasState(kMigrationHooks, bus::v1::LISTENER_STATE_CONNECTED); },
        kPatience);
  }
  void Kill() {
    service_->Signal(SIGKILL);
    EXPECT_TRUE(service_->WaitExit(kPatience).has_value()) << "waited for a killed process";
  }
  void Restart() {
    Kill();
    // A killed process' name stands until the bus has seen its connection go.
    WaitFor(
        "migration-hooks to be gone", [&] { return bus_->HasState(kMigrationHooks, bus::v1::LISTENER_STATE_DISCONNECTED); },
        kPatience);
    Start(flags_);
  }
  // Until the service has answered for every event.
  void WaitUntilQuiet() {
    WaitFor(
        "migration-hooks to have answered for everything",
        [&] {
          const auto listener = bus_->GetListener(kMigrationHooks);
          return listener.ok() && listener->state() == bus::v1::LISTENER_STATE_CONNECTED && listener->backlog() == 0;
        },
        kPatience);
  }

  Status Now() {
    const auto status = Call(&Stub::GetMigrationStatus, *stub_, {}, kPatience);
    EXPECT_TRUE(status.ok()) << status.status();
    return status.value_or(Status());
  }
  absl::StatusOr<migration::v1::SetPhaseResponse> Set(const migration::v1::SetPhaseRequest& request) {
    return Call(&Stub::SetPhase, *stub_, request, kPatience);
  }
  absl::StatusOr<migration::v1::SetPhaseResponse> Set(event::v1::MigrationPhase phase) {
    migration::v1::SetPhaseRequest request;
    request.set_phase(phase);
    return Set(request);
  }
  absl::Status Report(migration::v1::CallResult result) {
    migration::v1::ReportOutcomeRequest request;
    request.set_method("GET");
    request.set_path("nodes/node1/network");
    request.set_implementation(migration::v1::IMPLEMENTATION_RUST);
    request.set_result(result);
    return Call(&Stub::ReportOutcome, *stub_, request, kPatience).status();
  }
  // Newest first.
  std::vector<migration::v1::PhaseChange> History() {
    migration::v1::ListPhaseHistoryRequest request;
    request.set_page_size(1000);
    const auto page = Call(&Stub::ListPhaseHistory, *stub_, request, kPatience);
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) return {};
    return {page->changes().begin(), page->changes().end()};
  }
  // `pvebus migration ...`
  Ended Run(std::vector<std::string> arguments) {
    std::vector<std::string> line = {ProgramPath("pvebus"), "migration", "--migration", address_};
    line.insert(line.end(), arguments.begin(), arguments.end());
    Process process(line);
    Ended ended;
    ended.exit_code = process.WaitExit(kPatience);
    ended.out = process.StandardOutput();
    ended.err = process.StandardError();
    return ended;
  }

  std::string In(const std::string& name) const { return directory_.path() + "/" + name; }
  // "(none)" when there is none.
  std::string Read(const std::string& name) const {
    std::ifstream stream(In(name), std::ios::binary);
    if (!stream) return "(none)";
    std::stringstream bytes;
    bytes << stream.rdbuf();
    return bytes.str();
  }

  // With sanitizers, under strace, beside other tests.
  static constexpr std::chrono::milliseconds kPatience = std::chrono::seconds(30);

  const TemporaryDirectory directory_;
  std::unique_ptr<BusProcess> bus_ = std::make_unique<BusProcess>();
  std::unique_ptr<Process> service_;
  std::string address_;
  std::unique_ptr<Stub> stub_;
  std::vector<std::string> flags_;
};

}  // namespace pvebus::testing
