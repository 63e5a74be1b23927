#include "container-service/rpc/network_checks.h"

#include "absl/strings/str_join.h"
#include "container-service/core/testing/fake_node.h"
#include "container-service/rpc/lifecycle_event.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::container {
namespace {

using bus::v1::HOOK_STATE_DRY_RUN;
using bus::v1::HOOK_STATE_FAILED;
using bus::v1::HOOK_STATE_SKIPPED;
using bus::v1::HOOK_STATE_UNCHANGED;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class NetworkChecksTest : public ::testing::Test {
 protected:
  NetworkChecksTest() {
    node_.files[101] = "net0: name=eth0,bridge=vmbr0\nnet1: name=eth1,bridge=blue\n";
    node_.vnets = {{"blue", {.zone = "z"}}};
    node_.links.Bridge("vmbr0").Bridge("blue").Veth("veth101i0", "vmbr0").Veth("veth101i1", "blue");
  }

  hooks::HookOutcome Run(const hooks::Hook& hook, const event::v1::SystemEvent& event, bool dry_run = false,
                         uint32_t attempt = 1) {
    bus::v1::Delivery delivery;
    delivery.set_attempt(attempt);
    *delivery.mutable_event() = event;
    delivery.set_dry_run(dry_run);
    return hook.run(client::EventContext(delivery, nullptr, stop_.get_token()), stop_.get_token());
  }
  hooks::HookOutcome Validate(const Lifecycle& what) { return Run(VnetValidation(node_), EventOf(what)); }
  hooks::HookOutcome Check(const Lifecycle& what, LinkCheckOptions options = {milliseconds(20), milliseconds(1)}) {
    return Run(LinkCheck(node_, options), EventOf(what));
  }

  const Lifecycle started_{.kind = LifecycleKind::kStarted, .container_id = 101};
  FakeNode node_;
  std::stop_source stop_;
};

TEST_F(NetworkChecksTest, ANetworkThatIsAsItShouldHasARowPerInterface) {
  for (const hooks::HookOutcome& outcome : {Validate(started_), Check(started_)}) {
    EXPECT_EQ(outcome.state, HOOK_STATE_UNCHANGED) << outcome.message;
    EXPECT_EQ(outcome.resource, "container/101");
    ASSERT_EQ(outcome.details.size(), 2);
    EXPECT_EQ(outcome.details[0].resource, "container/101/net0");
    EXPECT_EQ(outcome.details[1].resource, "container/101/net1");
    EXPECT_EQ(outcome.details[1].state, HOOK_STATE_UNCHANGED);
  }
  EXPECT_EQ(Validate(started_).details[1].after, "vnet blue");
  EXPECT_EQ(Check(started_).details[0].after, "veth101i0 is up, in vmbr0, MTU 1500");
}

TEST_F(NetworkChecksTest, WhatIsWrongFailsWithTheInterfaceAndTheReason) {
  node_.links.Of("veth101i1").master_index = node_.links.IndexOf("vmbr0");
  const hooks::HookOutcome checked = Check(started_);
  EXPECT_EQ(checked.state, HOOK_STATE_FAILED);
  EXPECT_EQ(checked.message, "1 of 2 interfaces not as the file says");
  EXPECT_EQ(checked.details[0].state, HOOK_STATE_UNCHANGED);
  EXPECT_EQ(checked.details[1].state, HOOK_STATE_FAILED);
  EXPECT_THAT(checked.details[1].message, HasSubstr("veth101i1 is in vmbr0; it belongs in blue"));

  node_.links.Remove("blue");
  const hooks::HookOutcome validated = Validate(started_);
  EXPECT_EQ(validated.state, HOOK_STATE_FAILED);
  EXPECT_THAT(validated.details[1].message, HasSubstr("not on this node"));
}

TEST_F(NetworkChecksTest, AWarningFailsNothing) {
  node_.links.Of("vmbr0").up = false;

  const hooks::HookOutcome outcome = Validate(started_);

  EXPECT_EQ(outcome.state, HOOK_STATE_UNCHANGED);
  EXPECT_EQ(outcome.details[0].message, "warning: vmbr0 is down");
}

TEST_F(NetworkChecksTest, FindingsOfTheFileAreToldWithTheirLine) {
  node_.files[101] += "net2: bridge=vmbr0\n";

  const hooks::HookOutcome outcome = Validate(started_);

  EXPECT_EQ(outcome.state, HOOK_STATE_UNCHANGED);
  EXPECT_THAT(outcome.message, HasSubstr("in its file: line 3: net2: "));
}

TEST_F(NetworkChecksTest, LinksThatComeALittleLaterAreWaitedFor) {
  node_.links.Of("veth101i0").up = false;
  int reads = 0;
  node_.on_read = [&] {
    if (++reads == 3) node_.links.Of("veth101i0").up = true;
  };

  EXPECT_EQ(Check(started_, {std::chrono::seconds(10), milliseconds(1)}).state, HOOK_STATE_UNCHANGED);
  EXPECT_EQ(reads, 3);
}

TEST_F(NetworkChecksTest, AStopEndsTheWait) {
  node_.links.Of("veth101i0").up = false;
  node_.on_read = [&] { stop_.request_stop(); };

  EXPECT_EQ(Check(started_, {std::chrono::hours(1), std::chrono::hours(1)}).state, HOOK_STATE_FAILED);
}

TEST_F(NetworkChecksTest, OnlyTheInterfaceThatTheEventIsAboutIsJudged) {
  node_.links.Of("veth101i1").master_index = 0;

  EXPECT_EQ(Check({LifecycleKind::kInterfaceUpdated, 101, "net0", "veth101i0", "", "vmbr0"}).state, HOOK_STATE_UNCHANGED);
  EXPECT_EQ(Check({LifecycleKind::kInterfaceUpdated, 101, "net1", "veth101i1", "", "blue"}).state, HOOK_STATE_FAILED);
}

TEST_F(NetworkChecksTest, WhatIsNotTheirsIsSkippedWithTheReason) {
  event::v1::SystemEvent other;
  other.mutable_network_applied();
  EXPECT_EQ(Run(VnetValidation(node_), other).message, "it is about no container");
  EXPECT_EQ(Validate({.kind = LifecycleKind::kStopped, .container_id = 101}).state, HOOK_STATE_SKIPPED);
  EXPECT_EQ(Check({.kind = LifecycleKind::kStarted, .container_id = 102}).state, HOOK_STATE_SKIPPED);
  EXPECT_THAT(Check({.kind = LifecycleKind::kStarted, .container_id = 102}).message, HasSubstr("102.conf does not exist"));
}

TEST_F(NetworkChecksTest, AContainerThatRunsNoMoreIsNoFailure) {
  node_.links.Remove("veth101i0");
  node_.links.Remove("veth101i1");
  EXPECT_EQ(Check(started_).message, "it is not running");

  node_.running = {101};
  EXPECT_EQ(Check(started_).state, HOOK_STATE_FAILED);
}

TEST_F(NetworkChecksTest, AStartThatComesAgainForAContainerThatHasStoppedIsOver) {
  node_.links.Remove("veth101i0");
  node_.links.Remove("veth101i1");
  node_.links.Remove("vmbr0");
  EXPECT_EQ(Run(VnetValidation(node_), EventOf(started_), false, /*attempt=*/1).state, HOOK_STATE_FAILED);
  EXPECT_EQ(Run(VnetValidation(node_), EventOf(started_), false, /*attempt=*/2).message, "it is not running any more");
}

TEST_F(NetworkChecksTest, ADryRunTellsTheSameAndSucceedsNowhere) {
  node_.links.Of("veth101i1").master_index = 0;

  const hooks::HookOutcome outcome =
      Run(LinkCheck(node_, {milliseconds(1), milliseconds(1)}), EventOf(started_), /*dry_run=*/true);

  EXPECT_EQ(outcome.state, HOOK_STATE_DRY_RUN);
  EXPECT_THAT(outcome.details[1].message, HasSubstr("in no bridge"));
}

TEST_F(NetworkChecksTest, AKernelThatDoesNotAnswerIsAFailure) {
  node_.network_error = absl::UnavailableError("the network changes all the time");

  EXPECT_EQ(Check(started_).message, "the network changes all the time");
  EXPECT_EQ(Validate(started_).state, HOOK_STATE_FAILED);
}

}  // namespace
}  // namespace pvebus::container
