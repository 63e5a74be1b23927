#include "container-service/rpc/network_event_logger.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::container {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LinesLogger final : public Logger {
 public:
  void Write(LogLevel, std::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

class NetworkEventLoggerTest : public testing::Test {
 protected:
  hooks::HookOutcome Run(const std::string& event_id, bool dry_run = false, uint64_t sequence = 7) {
    bus::v1::Delivery delivery;
    delivery.set_attempt(1);
    delivery.set_dry_run(dry_run);
    delivery.mutable_event()->set_event_id(event_id);
    delivery.mutable_event()->set_sequence(sequence);
    delivery.mutable_event()->mutable_container_started()->set_id(101);
    return NetworkEventLogger(logger_, starts_, chain_).run(client::EventContext(delivery, nullptr, {}), {});
  }

  LinesLogger logger_;
  ContainerStarts starts_;
  RealClock clock_;
  hooks::HookChain chain_{{}, clock_};
};

TEST_F(NetworkEventLoggerTest, ContainerStartIsLoggedAndCounted) {
  const hooks::HookOutcome outcome = Run("e1");

  EXPECT_EQ(outcome.state, bus::v1::HOOK_STATE_UNCHANGED);
  EXPECT_EQ(outcome.resource, "container/101");
  EXPECT_EQ(outcome.message, "start 1 of container 101");
  EXPECT_THAT(logger_.lines, ElementsAre(HasSubstr("hook=network-event-logger event=container_started event_id=e1")));
  EXPECT_EQ(starts_.CountOf(101), 1u);
}

TEST_F(NetworkEventLoggerTest, RedeliveryIsLoggedAndNotCounted) {
  Run("e1");

  EXPECT_THAT(Run("e1").message, HasSubstr("counted before, 1 in all"));
  EXPECT_EQ(logger_.lines.size(), 2u);
}

TEST_F(NetworkEventLoggerTest, DryRunChangesNothing) {
  EXPECT_EQ(Run("e1", /*dry_run=*/true).state, bus::v1::HOOK_STATE_DRY_RUN);
  EXPECT_EQ(starts_.CountOf(101), 0u);
}

TEST_F(NetworkEventLoggerTest, WhatAnOperatorRunsIsNoStart) {
  EXPECT_EQ(Run("run-1", /*dry_run=*/false, /*sequence=*/0).message, "logged");
  EXPECT_EQ(starts_.CountOf(101), 0u);
}

}  // namespace
}  // namespace pvebus::container
