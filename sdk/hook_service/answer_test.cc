#include "sdk/hook_service/answer.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::hook_service {
namespace {

using ::testing::HasSubstr;

bus::v1::HookResult Result(const std::string& hook, bus::v1::HookState state, const std::string& message = "") {
  bus::v1::HookResult result;
  result.set_hook(hook);
  result.set_state(state);
  result.set_message(message);
  return result;
}

TEST(AnswerTest, EventIsAcknowledgedWithEveryResultWhenNoHookFailed) {
  const client::Answer answer = AnswerFor({Result("a", bus::v1::HOOK_STATE_CHANGED), Result("b", bus::v1::HOOK_STATE_SKIPPED),
                                           Result("c", bus::v1::HOOK_STATE_DRY_RUN), Result("d", bus::v1::HOOK_STATE_UNCHANGED)});

  ASSERT_TRUE(answer.is_acknowledgement());
  EXPECT_EQ(answer.settlement().acknowledgement().hook_results_size(), 4);
}

TEST(AnswerTest, ChainWithoutHooksAcknowledges) { EXPECT_TRUE(AnswerFor({}).is_acknowledgement()); }

TEST(AnswerTest, FailedHooksAreNamedInARejectionForAnotherAttempt) {
  const client::Answer answer =
      AnswerFor({Result("a", bus::v1::HOOK_STATE_FAILED, "no cable"), Result("b", bus::v1::HOOK_STATE_CHANGED),
                 Result("c", bus::v1::HOOK_STATE_FAILED, "no power")});

  ASSERT_FALSE(answer.is_acknowledgement());
  const bus::v1::Rejection& rejection = answer.settlement().rejection();
  EXPECT_EQ(rejection.mode(), bus::v1::REJECT_MODE_RETRY);
  EXPECT_EQ(rejection.error().reason(), "HOOK_FAILED");
  EXPECT_EQ(rejection.error().code(), static_cast<int>(absl::StatusCode::kInternal));
  EXPECT_TRUE(rejection.error().retryable());
  EXPECT_THAT(rejection.error().message(), HasSubstr("2 of 3 hooks failed: a: no cable; c: no power"));
  EXPECT_EQ(rejection.error().metadata().at("hooks"), "a,c");
  EXPECT_EQ(rejection.hook_results_size(), 3);
}

TEST(AnswerTest, RefusedEventIsADeadLetterWithTheReason) {
  const client::Answer answer = AnswerFor(
      {Result("a", bus::v1::HOOK_STATE_FAILED, "not from there"), Result("b", bus::v1::HOOK_STATE_UNCHANGED)}, "PHASE_JUMP");

  ASSERT_FALSE(answer.is_acknowledgement());
  const bus::v1::Rejection& rejection = answer.settlement().rejection();
  EXPECT_EQ(rejection.mode(), bus::v1::REJECT_MODE_DEAD_LETTER);
  EXPECT_EQ(rejection.error().reason(), "PHASE_JUMP");
  EXPECT_EQ(rejection.error().code(), static_cast<int>(absl::StatusCode::kFailedPrecondition));
  EXPECT_FALSE(rejection.error().retryable());
  EXPECT_THAT(rejection.error().message(), HasSubstr("a: not from there"));
  EXPECT_EQ(rejection.hook_results_size(), 2);
}

TEST(AnswerTest, OnlyTheHooksThemselvesDecideAndAreCounted) {
  const auto acknowledged = AnswerFor({Result("a", bus::v1::HOOK_STATE_CHANGED), Result("a", bus::v1::HOOK_STATE_FAILED)});
  const auto rejected = AnswerFor({Result("a", bus::v1::HOOK_STATE_FAILED, "1 of 2"),
                                   Result("a", bus::v1::HOOK_STATE_FAILED, "nas"), Result("b", bus::v1::HOOK_STATE_CHANGED)});

  EXPECT_TRUE(acknowledged.is_acknowledgement());
  EXPECT_EQ(acknowledged.settlement().acknowledgement().hook_results_size(), 2);
  EXPECT_EQ(rejected.settlement().rejection().error().message(), "1 of 2 hooks failed: a: 1 of 2");
  EXPECT_EQ(rejected.settlement().rejection().hook_results_size(), 3);
}

TEST(AnswerTest, DetailsBeyondWhatTheBusTakesAreLeftOutAndNoHookIs) {
  std::vector<bus::v1::HookResult> results(200, Result("a", bus::v1::HOOK_STATE_CHANGED));
  results.insert(results.end(), 200, Result("b", bus::v1::HOOK_STATE_CHANGED));
  results.push_back(Result("c", bus::v1::HOOK_STATE_CHANGED));

  const auto rows = AnswerFor(results).settlement().acknowledgement().hook_results();

  ASSERT_EQ(rows.size(), 256);
  EXPECT_EQ(rows[255].hook(), "c");
  EXPECT_EQ(rows[200].hook(), "b");
}

TEST(AnswerTest, LongMessagesAreCutToTheContract) {
  const client::Answer answer = AnswerFor({Result("a", bus::v1::HOOK_STATE_FAILED, std::string(4096, 'x')),
                                           Result("b", bus::v1::HOOK_STATE_FAILED, std::string(4096, 'y'))});

  EXPECT_EQ(answer.settlement().rejection().error().message().size(), 4096u);
}

}  // namespace
}  // namespace pvebus::hook_service
