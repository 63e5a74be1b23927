#include "migration-service/rpc/outcome_reports.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "migration-service/core/testing_memory_migration_store.h"

namespace pvebus::migration {
namespace {

using ::testing::HasSubstr;

class OutcomeReportsTest : public testing::Test {
 protected:
  absl::Status Take(CallResult result, Implementation implementation = Implementation::kRust) {
    return reports_.Take({.endpoint = *ParseEndpoint("GET", "nodes/pve1/network"),
                          .implementation = implementation,
                          .result = result,
                          .latency = std::chrono::milliseconds(5)});
  }
  void Take(CallResult result, int times) {
    for (int i = 0; i < times; ++i) EXPECT_TRUE(Take(result).ok());
  }
  void Enter(Phase phase, const std::string& event_id) {
    ASSERT_TRUE(state_->Enter({.to = phase, .event_id = event_id}, {}).ok());
    window_.Clear();
  }

  MemoryMigrationStore store_;
  std::unique_ptr<MigrationState> state_ = *MigrationState::Load(store_);
  OutcomeWindow window_{{.window = 10, .least = 4, .step_back = 0.5}};
  NullLogger logger_;
  int ordered_ = 0;
  OutcomeReports reports_{*state_, store_, window_, logger_, [this] { ++ordered_; }};
};

TEST_F(OutcomeReportsTest, CallsOfTheNewImplementationAreCounted) {
  Take(CallResult::kSucceeded, 2);
  Take(CallResult::kRefused, 1);
  Take(CallResult::kFailed, 1);
  Take(CallResult::kTimedOut, 1);
  ASSERT_TRUE(Take(CallResult::kFailed, Implementation::kPerl).ok());

  EXPECT_EQ(state_->status().reports, (ReportCounts{.reports = 5, .failures = 2}));
  EXPECT_EQ(window_.Shares().size(), 2u);
}

TEST_F(OutcomeReportsTest, TooManyFailuresOrderOneStepBackOfThePhaseInForce) {
  Enter(Phase::kRustReadOnly, "e1");
  Enter(Phase::kRustBasicWrite, "e2");

  Take(CallResult::kFailed, 20);

  EXPECT_EQ(ordered_, 1);
  const std::optional<PhaseOrder> order = *store_.StepBack();
  ASSERT_TRUE(order.has_value());
  EXPECT_EQ(order->to, Phase::kRustReadOnly);
  EXPECT_EQ(order->from, Phase::kRustBasicWrite);
  EXPECT_TRUE(order->automatic);
  EXPECT_FALSE(order->force);
  EXPECT_EQ(order->requested_by, "migration-service");
  EXPECT_EQ(order->event_id, "step-back:2-rust-basic-write");
  EXPECT_THAT(order->reason, HasSubstr("4 of the last 4 calls of the new implementation failed"));
}

TEST_F(OutcomeReportsTest, NextPhaseHasAStepBackOfItsOwn) {
  Enter(Phase::kRustReadOnly, "e1");
  Take(CallResult::kFailed, 4);
  Enter(Phase::kPerlOnly, "e2");
  Enter(Phase::kRustReadOnly, "e3");
  EXPECT_EQ(*store_.StepBack(), std::nullopt);

  Take(CallResult::kFailed, 4);

  EXPECT_EQ(ordered_, 2);
  EXPECT_EQ((*store_.StepBack())->event_id, "step-back:3-rust-read-only");
}

TEST_F(OutcomeReportsTest, BeforePerlOnlyThereIsNothing) {
  Take(CallResult::kFailed, 20);

  EXPECT_EQ(ordered_, 0);
  EXPECT_EQ(*store_.StepBack(), std::nullopt);
}

TEST_F(OutcomeReportsTest, StepBackThatTheDiskRefusedIsOrderedByTheNextReport) {
  Enter(Phase::kRustReadOnly, "e1");
  Take(CallResult::kFailed, 3);
  store_.FailNext(absl::ResourceExhaustedError("no room"));
  EXPECT_EQ(Take(CallResult::kFailed).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ordered_, 0);

  EXPECT_TRUE(Take(CallResult::kFailed).ok());

  EXPECT_EQ(ordered_, 1);
  EXPECT_TRUE(store_.StepBack()->has_value());
  EXPECT_EQ(state_->status().reports.reports, 5u);
}

}  // namespace
}  // namespace pvebus::migration
