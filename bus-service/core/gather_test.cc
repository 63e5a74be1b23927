#include "bus-service/core/gather.h"

#include <set>

#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

using std::chrono::seconds;

constexpr SteadyTime At(int second) { return SteadyTime(seconds(second)); }

// A publication with rows a, b, ...; a test says who is available.
class GatherTest : public testing::Test {
 protected:
  GatherTest() : gather_(timers_, [this](const ListenerRow& row) { return !away_.contains(*row.listener); }) {}

  void Match(const std::string& names) {
    for (const char name : names) {
      ListenerRow& row = publication_.rows.emplace_back();
      row.listener = std::make_shared<const std::string>(1, name);
    }
    gather_.Begin(publication_);
  }

  void Answer(size_t row, DeliveryState state) {
    publication_.rows[row].answered = true;
    gather_.SetState(publication_, publication_.rows[row], state);
  }

  // Counts how often the wait is called back, and with what.
  std::shared_ptr<std::vector<absl::Status>> Wait(WaitPolicy policy, SteadyTime until = At(10), const void* caller = nullptr) {
    auto calls = std::make_shared<std::vector<absl::Status>>();
    gather_.Wait(
        publication_, policy, until, [calls](const absl::Status& status) { calls->push_back(status); }, caller);
    return calls;
  }

  TimerQueue timers_;
  std::set<std::string> away_;
  Gather gather_;
  Publication publication_;
};

TEST_F(GatherTest, AWaitWithoutRowsIsOverAtOnce) {
  Match("");
  for (const WaitPolicy policy : {WaitPolicy::kNone, WaitPolicy::kDurable, WaitPolicy::kFirstAttempt, WaitPolicy::kSettled}) {
    EXPECT_EQ(Wait(policy)->size(), 1u);
  }
  EXPECT_EQ(gather_.waiting(), 0u);
}

TEST_F(GatherTest, EachPolicyEndsWhenItIsSatisfied) {
  const auto durable = Wait(WaitPolicy::kDurable), first = Wait(WaitPolicy::kFirstAttempt), settled = Wait(WaitPolicy::kSettled);
  EXPECT_TRUE(durable->empty());

  Match("ab");
  EXPECT_EQ(durable->size(), 1u);
  Answer(0, DeliveryState::kRetryScheduled);
  EXPECT_TRUE(first->empty());
  Answer(1, DeliveryState::kSucceeded);
  EXPECT_EQ(first->size(), 1u);
  EXPECT_TRUE(settled->empty());
  Answer(0, DeliveryState::kDeadLettered);
  EXPECT_EQ(settled->size(), 1u);

  EXPECT_EQ(gather_.waiting(), 0u);
  timers_.RunDue(At(100));
  EXPECT_EQ(durable->size() + first->size() + settled->size(), 3u);
  EXPECT_EQ(timers_.size(), 0u);
}

TEST_F(GatherTest, ARowThatGoesBackToQueuedAfterItsAnswerIsNotOpenAgain) {
  Match("a");
  Answer(0, DeliveryState::kRetryScheduled);
  gather_.SetState(publication_, publication_.rows[0], DeliveryState::kQueued);
  gather_.SetState(publication_, publication_.rows[0], DeliveryState::kInFlight);
  EXPECT_EQ(publication_.open_rows, 0u);
  EXPECT_EQ(Wait(WaitPolicy::kFirstAttempt)->size(), 1u);
}

TEST_F(GatherTest, WhoeverIsAwayIsNoOpenRowUnlessRequired) {
  away_ = {"a"};
  Match("a");
  EXPECT_EQ(publication_.open_rows, 0u);
  publication_.rows[0].required = true;
  const auto wait = Wait(WaitPolicy::kFirstAttempt);
  EXPECT_EQ(publication_.open_rows, 1u);
  Answer(0, DeliveryState::kSucceeded);
  EXPECT_EQ(wait->size(), 1u);
}

TEST_F(GatherTest, ADeferredRowIsNotWaitedForUntilItIsQueued) {
  Match("a");
  const auto wait = Wait(WaitPolicy::kSettled);
  gather_.SetState(publication_, publication_.rows[0], DeliveryState::kDeferred);
  EXPECT_EQ(publication_.open_rows, 0u);
  gather_.SetState(publication_, publication_.rows[0], DeliveryState::kQueued);
  EXPECT_EQ(publication_.open_rows, 1u);
}

TEST_F(GatherTest, AWaitThatIsOverEndsAloneAndAtItsTime) {
  Match("a");
  const auto brief = Wait(WaitPolicy::kSettled, At(1)), longer = Wait(WaitPolicy::kSettled, At(2));

  timers_.RunDue(At(1));
  EXPECT_EQ(brief->size(), 1u);
  EXPECT_TRUE(longer->empty());
  EXPECT_EQ(gather_.waiting(), 1u);
  timers_.RunDue(At(2));
  EXPECT_EQ(longer->size(), 1u);
}

TEST_F(GatherTest, WhoeverLeavesIsToldOnceAndOthersWaitOn) {
  int caller = 0, other = 0;
  Match("a");
  const auto leaving = Wait(WaitPolicy::kSettled, At(10), &caller), staying = Wait(WaitPolicy::kSettled, At(10), &other);
  const auto nobody = Wait(WaitPolicy::kSettled);

  gather_.Leave(publication_, &caller);
  gather_.Leave(publication_, &caller);

  ASSERT_EQ(leaving->size(), 1u);
  EXPECT_EQ(leaving->at(0).code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(staying->empty() && nobody->empty());
  EXPECT_EQ(gather_.waiting(), 2u);
}

TEST_F(GatherTest, AFailureEndsEveryWait) {
  const auto one = Wait(WaitPolicy::kDurable), two = Wait(WaitPolicy::kSettled);
  gather_.Fail(publication_, absl::DataLossError("gone"));
  for (const auto& wait : {one, two}) {
    ASSERT_EQ(wait->size(), 1u);
    EXPECT_EQ(wait->at(0).code(), absl::StatusCode::kDataLoss);
  }
  EXPECT_EQ(timers_.size(), 0u);
}

TEST_F(GatherTest, TheEndFinishesEveryWaitAndLetsNobodyWaitAnyMore) {
  Match("a");
  const auto wait = Wait(WaitPolicy::kSettled);
  gather_.FinishAll(absl::UnavailableError("unknown"));
  ASSERT_EQ(wait->size(), 1u);
  EXPECT_TRUE(wait->at(0).ok());
  EXPECT_EQ(Wait(WaitPolicy::kSettled)->size(), 1u);
}

TEST_F(GatherTest, ACallbackMayAskAgain) {
  Match("a");
  std::shared_ptr<std::vector<absl::Status>> again;
  gather_.Wait(publication_, WaitPolicy::kFirstAttempt, At(10), [&](const absl::Status&) { again = Wait(WaitPolicy::kSettled); });
  Answer(0, DeliveryState::kRetryScheduled);

  ASSERT_TRUE(again);
  EXPECT_TRUE(again->empty());
  EXPECT_EQ(gather_.waiting(), 1u);
  Answer(0, DeliveryState::kSucceeded);
  EXPECT_EQ(again->size(), 1u);
}

}  // namespace
}  // namespace pvebus::bus
