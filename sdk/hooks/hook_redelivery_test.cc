// What a chain does with an event that comes again.
#include <future>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/hooks/hook_chain.h"
#include "sdk/hooks/sqlite_hook_journal.h"
#include "tests/support/temporary_directory.h"

namespace pvebus::hooks {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kChanged = bus::v1::HOOK_STATE_CHANGED;
constexpr auto kUnchanged = bus::v1::HOOK_STATE_UNCHANGED;
constexpr auto kFailed = bus::v1::HOOK_STATE_FAILED;
constexpr auto kSkipped = bus::v1::HOOK_STATE_SKIPPED;
constexpr auto kDryRun = bus::v1::HOOK_STATE_DRY_RUN;

// Whether the journal is a file.
class HookRedeliveryTest : public ::testing::TestWithParam<bool> {
 protected:
  HookRedeliveryTest() { Restart(); }

  void Restart() {
    chain_.reset();
    std::unique_ptr<HookJournal> journal;
    if (GetParam()) {
      auto opened = SqliteHookJournal::Open({.directory = directory_.path(), .program = "test"}, clock_, logger_);
      ASSERT_TRUE(opened.ok()) << opened.status();
      journal = *std::move(opened);
    }
    chain_ = std::make_unique<HookChain>(HookChainOptions{}, clock_, std::move(journal));
  }

  // Answers what `states` has for it then.
  void AddHook(const std::string& name) {
    const auto run = [this, name](const client::EventContext&, std::stop_token) {
      calls_.push_back(name);
      return HookOutcome{.state = states_[name], .kept = {{.name = "calls/" + name, .number = 1}}};
    };
    const absl::Status status = chain_->Add({.name = name, .run = run});
    ASSERT_TRUE(status.ok()) << status;
  }

  std::vector<bus::v1::HookResult> Deliver(uint32_t attempt, const std::string& replay_id = "", bool dry_run = false,
                                           const std::string& event_id = "e1", const std::stop_token& stop = {}) {
    bus::v1::Delivery delivery;
    delivery.set_attempt(attempt);
    delivery.set_replay_id(replay_id);
    delivery.set_dry_run(dry_run);
    delivery.mutable_event()->set_event_id(event_id);
    delivery.mutable_event()->mutable_container_started()->set_id(101);
    calls_.clear();
    return chain_->Run(client::EventContext(delivery, nullptr, stop));
  }

  testing::TemporaryDirectory directory_;
  RealClock clock_;
  NullLogger logger_;
  std::map<std::string, bus::v1::HookState> states_;
  std::vector<std::string> calls_;
  std::unique_ptr<HookChain> chain_;
};

INSTANTIATE_TEST_SUITE_P(Journals, HookRedeliveryTest, ::testing::Bool(),
                         [](const auto& journal) { return journal.param ? "Sqlite" : "Memory"; });

TEST_P(HookRedeliveryTest, OnlyHooksThatHaveNotSucceededRunAgain) {
  states_ = {{"a", kChanged}, {"b", kFailed}, {"c", kUnchanged}, {"d", kSkipped}};
  for (const char* name : {"a", "b", "c", "d"}) AddHook(name);
  Deliver(1);
  states_["b"] = kChanged;

  const auto results = Deliver(2);

  EXPECT_THAT(calls_, ElementsAre("b"));
  ASSERT_EQ(results.size(), 4u);
  for (const int done : {0, 2, 3}) {
    EXPECT_EQ(results[done].state(), kSkipped);
    EXPECT_EQ(results[done].message(), "attempt 1 has done it");
    EXPECT_EQ(results[done].resource(), "container/101");
  }
  EXPECT_EQ(results[1].hook(), "b");
  EXPECT_EQ(results[1].state(), kChanged);
  Deliver(3);
  EXPECT_THAT(calls_, IsEmpty());
}

TEST_P(HookRedeliveryTest, OtherEventsAreNotConcerned) {
  states_ = {{"a", kChanged}};
  AddHook("a");
  Deliver(1);

  Deliver(1, "", false, "e2");

  EXPECT_THAT(calls_, ElementsAre("a"));
}

TEST_P(HookRedeliveryTest, AReplayRunsEverythingAndIsASuccessToo) {
  states_ = {{"a", kChanged}, {"b", kFailed}};
  AddHook("a");
  AddHook("b");
  Deliver(1);
  states_["b"] = kChanged;

  Deliver(1, "r1");

  EXPECT_THAT(calls_, ElementsAre("a", "b"));
  Deliver(2);
  EXPECT_THAT(calls_, IsEmpty());
}

TEST_P(HookRedeliveryTest, ADryRunCallsEverythingAndCountsAsNothingDone) {
  states_ = {{"honest", kDryRun}, {"careless", kUnchanged}};
  AddHook("honest");
  AddHook("careless");
  Deliver(1, "", /*dry_run=*/true);
  EXPECT_THAT(calls_, ElementsAre("honest", "careless"));

  Deliver(1);
  EXPECT_THAT(calls_, ElementsAre("honest", "careless"));

  Deliver(2, "", /*dry_run=*/true);
  EXPECT_THAT(calls_, ElementsAre("honest", "careless"));
}

TEST_P(HookRedeliveryTest, AHookThatWasAskedToStopHasNotSucceededWhateverItAnswers) {
  states_ = {{"a", kSkipped}};
  AddHook("a");
  std::stop_source stop;
  stop.request_stop();
  Deliver(1, "", false, "e1", stop.get_token());

  Deliver(2);

  EXPECT_THAT(calls_, ElementsAre("a"));
}

TEST_P(HookRedeliveryTest, WhatWasDoneBeforeCountsAsSkippedAndNotAsSuccess) {
  states_ = {{"a", kChanged}};
  AddHook("a");
  Deliver(1);
  Deliver(2);

  const bus::v1::HookStatistics statistics = chain_->Statistics()[0];

  EXPECT_EQ(statistics.total_count(), 2u);
  EXPECT_EQ(statistics.succeeded_count(), 1u);
  EXPECT_EQ(statistics.skipped_count(), 1u);
  EXPECT_EQ(chain_->Executions({.hook = "a"}).size(), 2u);
}

TEST_P(HookRedeliveryTest, ClearingTheHistoryDoesNotForgetWhatSucceeded) {
  states_ = {{"a", kChanged}};
  AddHook("a");
  Deliver(1);
  std::promise<size_t> cleared;
  chain_->ClearExecutions([&](size_t count) { cleared.set_value(count); });
  EXPECT_EQ(cleared.get_future().get(), 1u);

  Deliver(2);

  EXPECT_THAT(calls_, IsEmpty());
}

TEST_P(HookRedeliveryTest, AHookThatIsAddedLaterStillRuns) {
  states_ = {{"a", kChanged}, {"b", kChanged}};
  AddHook("a");
  Deliver(1);
  AddHook("b");

  Deliver(2);

  EXPECT_THAT(calls_, ElementsAre("b"));
}

TEST_P(HookRedeliveryTest, ARestartForgetsNothingThatIsOnDisk) {
  states_ = {{"a", kChanged}, {"b", kFailed}};
  AddHook("a");
  AddHook("b");
  Deliver(1);
  Deliver(1, "r1");  // counts nothing again

  Restart();
  AddHook("a");
  AddHook("b");
  Deliver(2);

  if (GetParam()) {
    EXPECT_THAT(calls_, ElementsAre("b"));
    ASSERT_EQ(chain_->Kept().size(), 1u) << "a failed hook keeps nothing";
    EXPECT_EQ(chain_->Kept()[0].first, "calls/a");
    EXPECT_EQ(chain_->Kept()[0].second.number, 1);
  } else {
    EXPECT_THAT(calls_, ElementsAre("a", "b"));
  }
}

// A process that is killed while a hook takes its time has not forgotten the hooks before it.
TEST(HookRunSavingTest, HooksBeforeASlowOneAreSavedWhileItRuns) {
  testing::TemporaryDirectory directory;
  RealClock clock;
  NullLogger logger;
  const auto journal_of = [&] {
    return SqliteHookJournal::Open({.directory = directory.path(), .program = "test"}, clock, logger);
  };
  auto opened = journal_of();
  ASSERT_TRUE(opened.ok()) << opened.status();
  HookJournal& journal = **opened;
  HookChain chain({}, clock, *std::move(opened));
  ASSERT_TRUE(chain.Add({.name = "quick", .run = [](const auto&, auto) { return HookOutcome{}; }}).ok());
  const auto wait_for = [&](const std::string& hook) {
    return [&journal, hook](const client::EventContext&, std::stop_token stop) {
      bool saved = false;
      while (!saved && !stop.stop_requested()) saved = journal.SucceededFor("e1").contains(hook);
      return HookOutcome{.state = saved ? kChanged : kFailed};
    };
  };
  ASSERT_TRUE(chain.Add({.name = "slow", .run = wait_for("quick")}).ok());
  ASSERT_TRUE(chain.Add({.name = "slower", .run = wait_for("slow")}).ok());
  bus::v1::Delivery delivery;
  delivery.set_attempt(1);
  delivery.mutable_event()->set_event_id("e1");

  const auto results = chain.Run(client::EventContext(delivery, nullptr, {}));

  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results[1].state(), kChanged) << "waited 10 s for the hook before it to be saved";
  EXPECT_EQ(results[2].state(), kChanged) << "waited 10 s for the hook before it to be saved";
  EXPECT_EQ(chain.Executions({}).size(), 3u) << "each hook once";
  EXPECT_EQ(chain.Statistics()[0].total_count(), 1u);
}

}  // namespace
}  // namespace pvebus::hooks
