#include "migration-service/core/gates.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::migration {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

GateVerdict Only(const GateLimits& limits, const GateFacts& facts) {
  const std::vector<GateVerdict> verdicts = JudgeGates(limits, facts);
  EXPECT_EQ(verdicts.size(), 1u);
  return verdicts.empty() ? GateVerdict{} : verdicts.front();
}

TEST(GatesTest, WithoutLimitsThereAreNone) {
  EXPECT_THAT(JudgeGates({}, {.reports = 10, .failures = 10}), IsEmpty());
  EXPECT_TRUE(AllOpen({}));
}

TEST(GatesTest, TransactionsOpenAtTheirLimit) {
  const GateLimits limits{.min_transactions = 10};

  EXPECT_EQ(Only(limits, {.transactions = 3}),
            (GateVerdict{"transactions", false, "3 of 10 network transactions in this phase"}));
  EXPECT_FALSE(Only(limits, {.transactions = 9}).open);
  EXPECT_TRUE(Only(limits, {.transactions = 10}).open);
  EXPECT_TRUE(Only(limits, {.transactions = 11}).open);
}

TEST(GatesTest, FailureShareIsOpenUpToItsLimit) {
  const GateLimits limits{.max_failure_share = 0.1};

  EXPECT_EQ(Only(limits, {.reports = 50, .failures = 12}),
            (GateVerdict{"failure-share", false, "12 of 50 calls of the new implementation failed (24.0 %, at most 10.0 %)"}));
  EXPECT_TRUE(Only(limits, {.reports = 50, .failures = 5}).open);
  EXPECT_FALSE(Only(limits, {.reports = 50, .failures = 6}).open);
  EXPECT_TRUE(Only(limits, {}).open);
}

TEST(GatesTest, NoFailureIsAllowedWhenTheShareIsZero) {
  const GateLimits limits{.max_failure_share = 0};

  EXPECT_TRUE(Only(limits, {.reports = 1'000'000}).open);
  EXPECT_FALSE(Only(limits, {.reports = 1'000'000, .failures = 1}).open);
}

TEST(GatesTest, TooFewReportsSayNothing) {
  const GateLimits limits{.max_failure_share = 0.5, .min_reports = 20};

  EXPECT_EQ(Only(limits, {.reports = 19}),
            (GateVerdict{"failure-share", false, "19 of 20 calls of the new implementation reported in this phase"}));
  EXPECT_TRUE(Only(limits, {.reports = 20}).open);
  EXPECT_FALSE(Only({.min_reports = 1}, {}).open);
  EXPECT_TRUE(Only({.min_reports = 1}, {.reports = 1, .failures = 1}).open);
}

TEST(GatesTest, ListenerIsToHaveNoDeadLetters) {
  const GateLimits limits{.quiet_listeners = {"storage-hooks"}};

  EXPECT_EQ(Only(limits, {.dead_letters = {{"storage-hooks", 2}}}),
            (GateVerdict{"dead-letters/storage-hooks", false, "2 dead letters"}));
  EXPECT_TRUE(Only(limits, {.dead_letters = {{"storage-hooks", 0}}}).open);
}

TEST(GatesTest, ListenerThatIsNotKnownKeepsItsGateClosed) {
  const GateLimits limits{.quiet_listeners = {"storage-hooks"}};

  EXPECT_FALSE(Only(limits, {}).open);
  EXPECT_FALSE(Only(limits, {.dead_letters = {{"storage-hooks", std::nullopt}}}).open);
  EXPECT_FALSE(Only(limits, {.dead_letters = {{"other", 0}}}).open);
}

TEST(GatesTest, EachLimitIsOneGateInOrder) {
  const GateLimits limits{
      .min_transactions = 1, .max_failure_share = 0.5, .min_reports = 1, .quiet_listeners = {"b-hooks", "a-hooks"}};
  const std::vector<GateVerdict> verdicts =
      JudgeGates(limits, {.transactions = 1, .reports = 1, .dead_letters = {{"a-hooks", 0}, {"b-hooks", 1}}});
  std::vector<std::string> gates;
  gates.reserve(verdicts.size());
  for (const GateVerdict& verdict : verdicts) gates.push_back(verdict.gate);

  EXPECT_THAT(gates, ElementsAre("transactions", "failure-share", "dead-letters/b-hooks", "dead-letters/a-hooks"));
  EXPECT_FALSE(AllOpen(verdicts));
  EXPECT_TRUE(AllOpen({verdicts[0], verdicts[1], verdicts[3]}));
}

}  // namespace
}  // namespace pvebus::migration
