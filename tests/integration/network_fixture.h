#pragma once

#include <signal.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/bus_process.h"
#include "tests/support/messages.h"
#include "tests/support/network_process.h"

namespace pvebus::testing {

// An interface that nothing looks for in the kernel, because it does not come up at boot: `count` makes another one of it.
inline std::string Interfaces(int count) {
  return absl::StrFormat("# number %d\nauto lo\niface lo inet loopback\n\niface test1 inet manual\n\tmtu %d\n", count,
                         1000 + count);
}

// network-service on its folder, and the bus.
class NetworkFixture : public ::testing::Test {
 protected:
  using Stub = network::v1::NetworkService::Stub;
  using Apply = network::v1::Apply;

  void SetUp() override {
    if (const std::string why = WhyNoRoot(); !why.empty()) GTEST_SKIP() << "NOT PROVEN: applying, which needs root: " << why;
  }

  // What an earlier one left is taken up when this returns.
  void Start(const std::vector<std::string>& flags = {}) {
    service_ = std::make_unique<NetworkProcess>(folder_, BusAddress(), flags, AsRoot());
    WaitForTurn();
  }
  void StartBoth() {
    StartBus();
    Start();
  }
  void Kill() {
    service_->process().Signal(SIGKILL);
    EXPECT_TRUE(service_->process().WaitExit(kSoon).has_value()) << "waited for a killed process";
  }
  void StartBus() { bus_ = std::make_unique<BusProcess>(bus_flags_); }
  std::string BusAddress() const { return bus_ ? bus_->address() : absent_bus_; }

  // FAILED_PRECONDITION or OK when nothing is under way but what awaits confirmation, ABORTED when something is; changes nothing.
  absl::Status Probe() {
    network::v1::ConfirmApplyRequest nothing;
    nothing.set_validate_only(true);
    return Call(&Stub::ConfirmApply, service_->stub(), nothing, kPatience).status();
  }
  bool Answers() { return !absl::IsUnavailable(Probe()); }
  // Until nothing is under way but what awaits confirmation.
  void WaitForTurn() {
    WaitFor("network-service to have nothing to do", [&] {
      const absl::Status status = Probe();
      return status.ok() || absl::IsFailedPrecondition(status);
    });
  }
  // ... and the bus knows of all that happened.
  void WaitUntilQuiet() {
    WaitForTurn();
    WaitFor("the bus to have heard of everything", [&] {
      for (const Apply& apply : List()) {
        for (const auto& publication : apply.publications()) {
          if (publication.state() != network::v1::PUBLICATION_STATE_PUBLISHED) return false;
        }
      }
      return true;
    });
  }

  static network::v1::ApplyPendingChangesRequest WithConfirmation(std::chrono::milliseconds timeout) {
    network::v1::ApplyPendingChangesRequest request;
    *request.mutable_confirm_timeout() = ProtoDuration(timeout);
    return request;
  }
  absl::StatusOr<Apply> ApplyStaged(const network::v1::ApplyPendingChangesRequest& request = {},
                                    std::chrono::milliseconds deadline = kPatience) {
    const auto response = Call(&Stub::ApplyPendingChanges, service_->stub(), request, deadline);
    if (!response.ok()) return response.status();
    return response->apply();
  }
  // On a thread of its own; the future's destructor waits for it.
  std::future<absl::StatusOr<Apply>> ApplyLater(const network::v1::ApplyPendingChangesRequest& request = {}) {
    return std::async(std::launch::async, [this, request] { return ApplyStaged(request); });
  }
  absl::StatusOr<Apply> Confirm(const std::string& apply_id = "") {
    network::v1::ConfirmApplyRequest request;
    request.set_apply_id(apply_id);
    const auto response = Call(&Stub::ConfirmApply, service_->stub(), request, kPatience);
    if (!response.ok()) return response.status();
    return response->apply();
  }
  absl::StatusOr<Apply> Revert(const std::string& reason = "") {
    network::v1::RevertApplyRequest request;
    request.set_reason(reason);
    const auto response = Call(&Stub::RevertApply, service_->stub(), request, kPatience);
    if (!response.ok()) return response.status();
    return response->apply();
  }
  // Newest first.
  std::vector<Apply> List() {
    network::v1::ListAppliesRequest request;
    request.set_page_size(1000);
    const auto response = Call(&Stub::ListApplies, service_->stub(), request, kPatience);
    EXPECT_TRUE(response.ok()) << response.status();
    if (!response.ok()) return {};
    return {response->applies().begin(), response->applies().end()};
  }
  // An empty one when there is none.
  Apply Newest() {
    const std::vector<Apply> applies = List();
    return applies.empty() ? Apply() : applies.front();
  }
  // All there is of it.
  Apply Look(const std::string& apply_id) {
    network::v1::ListAppliesRequest request;
    request.set_apply_id(apply_id);
    const auto response = Call(&Stub::ListApplies, service_->stub(), request, kPatience);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() && response->applies_size() == 1 ? response->applies(0) : Apply();
  }
  void WaitForState(const std::string& apply_id, network::v1::ApplyState state, std::chrono::milliseconds timeout = kPatience) {
    WaitFor(
        absl::StrFormat("apply %s to be %s", apply_id, ApplyState_Name(state)), [&] { return Look(apply_id).state() == state; },
        timeout);
  }

  // What the journal has, in order.
  std::vector<event::v1::SystemEvent> Events() {
    std::vector<event::v1::SystemEvent> events;
    bus::v1::ListEventsRequest request;
    request.set_page_size(1000);
    do {
      const auto page = Call(&bus::v1::JournalService::Stub::ListEvents, bus_->journal(), request, kPatience);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) break;
      events.insert(events.end(), page->events().begin(), page->events().end());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return events;
  }
  // The same in words: "network_applied", "network_reverted", "network_apply_failed".
  static std::string KindOf(const event::v1::SystemEvent& event) {
    if (!event.has_network_applied()) return event.custom().name();
    const auto source = event.attributes().find("apply_source");
    return source != event.attributes().end() && source->second == "undo" ? "network_reverted" : "network_applied";
  }
  std::vector<std::string> Kinds() {
    std::vector<std::string> kinds;
    for (const auto& event : Events()) kinds.push_back(KindOf(event));
    return kinds;
  }

  // With sanitizers, under strace, beside other tests.
  static constexpr std::chrono::milliseconds kPatience = std::chrono::seconds(30);

  const NetworkFolder folder_{Interfaces(0)};
  std::vector<std::string> bus_flags_;
  const std::string absent_bus_ = "unix:" + folder_.Beside("nobody.sock");
  std::unique_ptr<BusProcess> bus_;
  std::unique_ptr<NetworkProcess> service_;
};

}  // namespace pvebus::testing
