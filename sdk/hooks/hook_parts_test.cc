// Hooks whose parts succeed one by one.
#include <filesystem>
#include <future>
#include <stdexcept>
#include <thread>

#include "gmock/gmock.h"
#include "google/protobuf/util/time_util.h"
#include "gtest/gtest.h"
#include "sdk/hooks/hook_chain.h"
#include "sdk/hooks/sqlite_hook_journal.h"
#include "tests/support/temporary_directory.h"

namespace pvebus::hooks {
namespace {

using google::protobuf::util::TimeUtil;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kChanged = bus::v1::HOOK_STATE_CHANGED;
constexpr auto kUnchanged = bus::v1::HOOK_STATE_UNCHANGED;
constexpr auto kFailed = bus::v1::HOOK_STATE_FAILED;
constexpr auto kSkipped = bus::v1::HOOK_STATE_SKIPPED;
constexpr std::chrono::seconds kLong{30};

using RunParts = std::function<HookOutcome(const client::EventContext&, HookParts&, std::stop_token)>;

// "resource STATE: message", of each row.
std::vector<std::string> Said(const std::vector<bus::v1::HookResult>& rows) {
  std::vector<std::string> said;
  for (const auto& row : rows) {
    said.push_back(row.resource() + " " + bus::v1::HookState_Name(row.state()).substr(sizeof("HOOK_STATE")) +
                   (row.message().empty() ? "" : ": " + row.message()));
  }
  return said;
}

// Whether the journal is a file.
class HookPartsTest : public ::testing::TestWithParam<bool> {
 protected:
  HookPartsTest() { Restart(); }

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

  void Add(RunParts run, milliseconds limit = kLong) {
    const absl::Status status = chain_->Add({.name = "programs", .time_limit = limit, .run_parts = std::move(run)});
    ASSERT_TRUE(status.ok()) << status;
  }

  // Runs each part of `states_` that is to be done, and is FAILED when one of them is.
  void AddPrograms() {
    Add([this](const client::EventContext&, HookParts& parts, std::stop_token) {
      HookOutcome outcome;
      for (const auto& [name, state] : states_) {
        if (const auto attempt = parts.DoneIn(name)) {
          outcome.details.push_back({.state = kSkipped, .resource = name, .message = "attempt " + std::to_string(*attempt)});
          continue;
        }
        calls_.push_back(name);
        if (state == kFailed) outcome.state = kFailed;
        parts.Record({.state = state, .resource = name});
      }
      return outcome;
    });
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

  // Oldest first.
  std::vector<std::string> History() const {
    std::vector<bus::v1::HookResult> rows;
    for (const auto& execution : chain_->Executions({.limit = 1000})) rows.insert(rows.begin(), execution.result());
    return Said(rows);
  }

  testing::TemporaryDirectory directory_;
  RealClock clock_;
  NullLogger logger_;
  std::map<std::string, bus::v1::HookState> states_ = {{"10-dns", kChanged}, {"20-dhcp", kFailed}, {"30-log", kUnchanged}};
  std::vector<std::string> calls_;
  std::unique_ptr<HookChain> chain_;
};

INSTANTIATE_TEST_SUITE_P(Journals, HookPartsTest, ::testing::Bool(),
                         [](const auto& journal) { return journal.param ? "Sqlite" : "Memory"; });

TEST_P(HookPartsTest, HookThatFailedSeesWhichOfItsPartsAreDone) {
  AddPrograms();
  Deliver(1);
  states_["20-dhcp"] = kChanged;

  const auto results = Deliver(2);

  EXPECT_THAT(calls_, ElementsAre("20-dhcp"));
  EXPECT_THAT(Said(results),
              ElementsAre(" UNCHANGED", "20-dhcp CHANGED", "10-dns SKIPPED: attempt 1", "30-log SKIPPED: attempt 1"));
  Deliver(3);
  EXPECT_THAT(calls_, IsEmpty());
}

TEST_P(HookPartsTest, PartsAreInTheHistoryOnceAndFollowTheirHookInTheResult) {
  AddPrograms();

  const auto results = Deliver(1);

  EXPECT_THAT(Said(results), ElementsAre(" FAILED", "10-dns CHANGED", "20-dhcp FAILED", "30-log UNCHANGED"));
  EXPECT_THAT(History(), ElementsAre("10-dns CHANGED", "20-dhcp FAILED", "30-log UNCHANGED", " FAILED"));
  EXPECT_EQ(chain_->Statistics()[0].total_count(), 1u) << "statistics count hooks";
  EXPECT_EQ(chain_->Executions({.resource = "container/101"}).size(), 4u);
}

TEST_P(HookPartsTest, PartSaysWhatItsProgramLeftAndWhenItBegan) {
  Add([](const client::EventContext&, HookParts& parts, std::stop_token) {
    parts.Record({.state = kFailed, .resource = "a", .exit_code = 3, .output = "no\xff", .duration = std::chrono::hours(1)});
    return HookOutcome{};
  });

  const auto results = Deliver(7);

  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[1].exit_code(), 3);
  EXPECT_EQ(results[1].output(), "no?");
  EXPECT_EQ(results[1].duration().seconds(), 3600);
  const auto execution = chain_->Executions({.resource = "a"}).at(0);
  EXPECT_EQ(execution.result().SerializeAsString(), results[1].SerializeAsString());
  EXPECT_EQ(execution.attempt(), 7u);
  EXPECT_EQ(execution.event_id(), "e1");
  const int64_t age = TimeUtil::TimestampToSeconds(TimeUtil::GetCurrentTime()) - execution.start_time().seconds();
  EXPECT_GE(age, 3600);
  EXPECT_LT(age, 3700);
}

TEST_P(HookPartsTest, PartIsInTheHistoryAndDoneWhileItsHookStillRuns) {
  std::vector<std::string> history;
  std::optional<uint32_t> done;
  Add([&](const client::EventContext&, HookParts& parts, std::stop_token) {
    parts.Record({.resource = "a"});
    history = History();
    done = parts.DoneIn("a");
    return HookOutcome{};
  });

  Deliver(4);

  EXPECT_THAT(history, ElementsAre("a UNCHANGED"));
  EXPECT_EQ(done, 4u);
}

TEST_P(HookPartsTest, OtherEventsAreNotConcerned) {
  AddPrograms();
  Deliver(1);

  Deliver(1, "", false, "e2");

  EXPECT_THAT(calls_, ElementsAre("10-dns", "20-dhcp", "30-log"));
}

TEST_P(HookPartsTest, AReplayDoesEverythingAndIsASuccessToo) {
  AddPrograms();
  Deliver(1);
  states_["20-dhcp"] = kChanged;
  states_["30-log"] = kFailed;

  Deliver(1, "r1");

  EXPECT_THAT(calls_, ElementsAre("10-dns", "20-dhcp", "30-log"));
  EXPECT_EQ(History().size(), 8u);
  Deliver(2);
  EXPECT_THAT(calls_, IsEmpty());
}

TEST_P(HookPartsTest, ADryRunIsRecordedAndCountsAsNothingDone) {
  AddPrograms();
  Deliver(1, "", /*dry_run=*/true);
  EXPECT_EQ(History().size(), 4u);

  Deliver(1);
  EXPECT_THAT(calls_, ElementsAre("10-dns", "20-dhcp", "30-log"));

  Deliver(2, "", /*dry_run=*/true);
  EXPECT_THAT(calls_, ElementsAre("10-dns", "20-dhcp", "30-log"));
}

TEST_P(HookPartsTest, WhatEndedAfterTheHookWasAskedToStopHasNotSucceeded) {
  AddPrograms();
  std::stop_source stop;
  stop.request_stop();
  Deliver(1, "", false, "e1", stop.get_token());
  EXPECT_EQ(History().size(), 4u);

  Deliver(2);

  EXPECT_THAT(calls_, ElementsAre("10-dns", "20-dhcp", "30-log"));
}

TEST_P(HookPartsTest, HookThatOverranOrThrewHasItsPartsInTheResultAndNotToDoAgain) {
  std::optional<uint32_t> done;
  Add(
      [&](const client::EventContext& context, HookParts& parts, std::stop_token stop) {
        done = parts.DoneIn("a");
        if (context.attempt() == 1) parts.Record({.resource = "a"});
        if (context.attempt() == 2) throw std::runtime_error("boom");
        std::promise<void> requested;
        const std::stop_callback callback(stop, [&] { requested.set_value(); });
        EXPECT_EQ(requested.get_future().wait_for(kLong), std::future_status::ready) << "waited for the time limit";
        parts.Record({.resource = "late"});
        return HookOutcome{};
      },
      milliseconds(1000));

  const auto overran = Deliver(1);

  ASSERT_THAT(chain_->WaitForOverruns(kLong), IsEmpty());
  EXPECT_THAT(Said(overran),
              ElementsAre(" FAILED: it took longer than its time limit of 1000 ms and was asked to stop", "a UNCHANGED"));
  EXPECT_EQ(chain_->Executions({.resource = "late"}).size(), 1u);
  EXPECT_THAT(Said(Deliver(2)), ElementsAre(" FAILED: it threw: boom"));
  EXPECT_EQ(done, 1u);
}

TEST_P(HookPartsTest, PartsOfAnyNameAreToldApart) {
  const std::string long_name(300, 'n');
  const std::vector<std::string> names = {"", "\xff", "\xfe", "a/b", long_name + "1", long_name + "2"};
  std::vector<std::string> done;
  size_t ends_with = 0;
  Add([&](const client::EventContext&, HookParts& parts, std::stop_token) {
    done.clear();
    for (const std::string& name : names) {
      if (parts.DoneIn(name)) done.push_back(name);
    }
    parts.Record({.resource = names[ends_with]});
    return HookOutcome{.state = kFailed};
  });

  for (; ends_with < names.size(); ++ends_with) {
    Deliver(1);
    EXPECT_EQ(done.size(), ends_with);
  }

  EXPECT_FALSE(chain_->HasSucceeded("programs", "e1"));
}

TEST_P(HookPartsTest, PartWithoutAStateHasFailed) {
  states_ = {{"a", bus::v1::HOOK_STATE_UNSPECIFIED}};
  AddPrograms();

  EXPECT_THAT(Said(Deliver(1)), ElementsAre(" UNCHANGED", "a FAILED: it ended with the unknown state 0"));
}

TEST_P(HookPartsTest, ThreadsOfAHookRecordAtOnce) {
  Add([&](const client::EventContext&, HookParts& parts, std::stop_token) {
    std::vector<std::thread> threads;
    for (const char* name : {"a", "b", "c", "d"}) {
      threads.emplace_back([&parts, name] { parts.Record({.resource = name}); });
    }
    for (std::thread& thread : threads) thread.join();
    return HookOutcome{.state = kFailed};
  });

  EXPECT_EQ(Deliver(1).size(), 5u);
  EXPECT_EQ(History().size(), 5u);
}

TEST_P(HookPartsTest, OfTooManyPartsThoseThatMatterAreInTheResultAndAllInTheHistory) {
  states_.clear();
  for (int i = 100; i < 300; ++i) states_[std::to_string(i)] = i == 299 ? kFailed : kUnchanged;
  AddPrograms();

  const auto results = Deliver(1);

  ASSERT_EQ(results.size(), 1 + kMaxHookDetails);
  EXPECT_EQ(results[1].resource(), "299");
  EXPECT_EQ(results.back().hook(), "programs");
  EXPECT_EQ(results.back().message(), "and 101 more");
  EXPECT_EQ(History().size(), 201u);
}

TEST_P(HookPartsTest, ARestartForgetsNothingThatIsOnDisk) {
  AddPrograms();
  Deliver(1);
  const auto history = History();

  Restart();
  AddPrograms();

  if (GetParam()) {
    EXPECT_EQ(History(), history);
    EXPECT_EQ(chain_->Statistics()[0].total_count(), 1u);
  }
  Deliver(2);
  EXPECT_EQ(calls_.size(), GetParam() ? 1u : 3u);
}

TEST_P(HookPartsTest, AHookHasOneThingToRun) {
  const absl::Status status = chain_->Add({.name = "a",
                                           .run = [](const auto&, auto) { return HookOutcome{}; },
                                           .run_parts = [](const auto&, auto&, auto) { return HookOutcome{}; }});

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
}

// The files of a process that is killed in the middle of a hook are those that the hook finds then.
TEST(HookPartsSavingTest, PartsAreOnDiskWhileTheirHookStillRuns) {
  testing::TemporaryDirectory directory;
  testing::TemporaryDirectory killed;
  RealClock clock;
  NullLogger logger;
  auto journal = SqliteHookJournal::Open({.directory = directory.path(), .program = "test"}, clock, logger);
  ASSERT_TRUE(journal.ok()) << journal.status();
  HookChain chain({}, clock, *std::move(journal));
  const auto run = [&](const client::EventContext&, HookParts& parts, std::stop_token) {
    parts.Record({.state = kChanged, .resource = "done"});
    parts.Record({.state = kFailed, .resource = "broken"});
    for (const char* file : {"/hooks.db", "/hooks.db-wal"}) {
      std::filesystem::copy(directory.path() + file, killed.path() + file);
    }
    return HookOutcome{};
  };
  ASSERT_TRUE(chain.Add({.name = "programs", .run_parts = run}).ok());
  bus::v1::Delivery delivery;
  delivery.set_attempt(5);
  delivery.mutable_event()->set_event_id("e1");
  chain.Run(client::EventContext(delivery, nullptr, {}));

  auto found = SqliteHookJournal::Open({.directory = killed.path(), .program = "test"}, clock, logger);

  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT((*found)->SucceededFor("e1"), ElementsAre(std::pair("programs/done", 5u)));
  EXPECT_EQ((*found)->Executions({}).size(), 2u);
}

}  // namespace
}  // namespace pvebus::hooks
